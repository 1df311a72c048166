//! stub
use super::*;
/// stub
pub fn load(_path: &std::path::Path) -> Result<Settings, Mistakes> {
    Err(Mistakes::default())
}

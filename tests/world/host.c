/* An application with whims: it asks PAM again and again in one process, talks to its user well, badly or
 * not at all, and watches what a module does to the process it is a guest in.
 *
 *   host ask SERVICE USER TIMES CONVERSATION   one line per round: result, and what the process looks like
 *   host load MODULE TIMES                     dlopen, look up the six entry points, dlclose
 *
 * CONVERSATION: talk (shows nothing, answers every prompt with an empty line), null (no function), fail
 * (PAM_CONV_ERR), empty (success, but no answers).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int messages;

static int talk(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	struct pam_response *answers = calloc(n > 0 ? n : 1, sizeof *answers);
	(void)data;
	messages += n;
	for (int i = 0; i < n; i++)
		if (msg[i]->msg_style == PAM_PROMPT_ECHO_ON || msg[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			answers[i].resp = strdup("");
	*resp = answers;
	return PAM_SUCCESS;
}

static int fail(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)n, (void)msg, (void)resp, (void)data;
	return PAM_CONV_ERR;
}

static int empty(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)n, (void)msg, (void)data;
	*resp = NULL;
	return PAM_SUCCESS;
}

static void no_delay(int status, unsigned delay, void *data)
{
	(void)status, (void)delay, (void)data;
}

static int entries(const char *folder)
{
	DIR *dir = opendir(folder);
	int found = 0;
	while (dir && readdir(dir))
		found++;
	if (dir)
		closedir(dir);
	return found;
}

static long rss_kib(void)
{
	long pages = 0, total = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f && fscanf(f, "%ld %ld", &total, &pages) != 2)
		pages = -1;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Any child at all, running or dead. */
static int has_child(void)
{
	siginfo_t info;
	return !(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD);
}

/* What belongs to the whole process and no guest may change. */
struct house {
	void (*handler[65])(int);
	sigset_t mask;
	mode_t umask;
	char cwd[4096], locale[256], environment[65536];
};

static void look(struct house *h)
{
	memset(h, 0, sizeof *h);
	for (int s = 1; s < 65; s++) {
		struct sigaction now;
		if (sigaction(s, NULL, &now) == 0)
			h->handler[s] = now.sa_handler;
	}
	sigprocmask(SIG_BLOCK, NULL, &h->mask);
	h->umask = umask(0);
	umask(h->umask);
	if (!getcwd(h->cwd, sizeof h->cwd))
		h->cwd[0] = 0;
	snprintf(h->locale, sizeof h->locale, "%s", setlocale(LC_ALL, NULL));
	char *end = h->environment;
	for (char **e = environ; *e && end + strlen(*e) + 1 < h->environment + sizeof h->environment; e++)
		end = stpcpy(end, *e) + 1;
}

static int ask(char **argv)
{
	struct pam_conv conv = { talk, NULL };
	if (strcmp(argv[3], "null") == 0)
		conv.conv = NULL;
	else if (strcmp(argv[3], "fail") == 0)
		conv.conv = fail;
	else if (strcmp(argv[3], "empty") == 0)
		conv.conv = empty;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < atoi(argv[2]); i++) {
		static struct house before, after;
		pam_handle_t *pamh = NULL;
		if (pam_start(argv[0], argv[1], &conv, &pamh) != PAM_SUCCESS)
			return 3;
		pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
		look(&before);
		int result = pam_authenticate(pamh, 0);
		look(&after);
		pam_end(pamh, result);
		printf("result=%d rss_kib=%ld fds=%d threads=%d child=%d disturbed=%d messages=%d\n", result,
		       rss_kib(), entries("/proc/self/fd") - 3, entries("/proc/self/task") - 2, has_child(),
		       memcmp(&before, &after, sizeof before) != 0, messages);
	}
	return 0;
}

static int load(const char *module, int times)
{
	static const char *const doors[] = { "pam_sm_authenticate", "pam_sm_setcred",       "pam_sm_acct_mgmt",
		                             "pam_sm_open_session", "pam_sm_close_session", "pam_sm_chauthtok" };
	for (int i = 0; i < times; i++) {
		void *handle = dlopen(module, RTLD_NOW);
		if (!handle) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		for (size_t d = 0; d < sizeof doors / sizeof *doors; d++)
			if (!dlsym(handle, doors[d])) {
				fprintf(stderr, "no %s\n", doors[d]);
				return 1;
			}
		if (dlclose(handle) != 0)
			return 1;
		printf("loaded threads=%d\n", entries("/proc/self/task") - 2);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "ask") == 0)
		return ask(argv + 2);
	if (argc == 4 && strcmp(argv[1], "load") == 0)
		return load(argv[2], atoi(argv[3]));
	fprintf(stderr, "usage: see the head of the source\n");
	return 2;
}

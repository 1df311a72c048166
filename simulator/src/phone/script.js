// Asks what is pending and shows it. Texts go into the document as text, never as markup.
"use strict";

const WORDS = {
  en: { wait: "No pending request", pin: "Mobile ID PIN (any 6 digits)", confirm: "Confirm", cancel: "Cancel" },
  de: { wait: "Keine offene Anfrage", pin: "Mobile ID PIN (6 beliebige Ziffern)", confirm: "Bestätigen", cancel: "Abbrechen" },
  fr: { wait: "Aucune demande en attente", pin: "PIN Mobile ID (6 chiffres au choix)", confirm: "Confirmer", cancel: "Annuler" },
  it: { wait: "Nessuna richiesta in sospeso", pin: "PIN Mobile ID (6 cifre qualsiasi)", confirm: "Confermare", cancel: "Annullare" },
};
const screen_ = document.getElementById("screen");
const empty = document.getElementById("empty");
const template = document.getElementById("request");
const shown = new Map();

const words = (language) => WORDS[language] || WORDS.en;

document.getElementById("waiting").textContent = words(navigator.language.slice(0, 2)).wait;

async function decide(form, verb, id, body) {
  const answer = await fetch(`/api/${verb}/${id}`, {
    method: "POST",
    headers: { "X-Phone": "page", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status === 400) {
    form.querySelector(".error").textContent = form.querySelector(".pin span").textContent;
    return;
  }
  await refresh();
}

function show(request) {
  const form = template.content.cloneNode(true).querySelector("form");
  const say = words(request.language);
  const put = (selector, text) => { form.querySelector(selector).textContent = text; };
  form.lang = request.language;
  form.dataset.id = request.id;
  put(".method", request.method === "sim" ? "SIM" : "App");
  put(".number", request.number);
  put(".text", request.text);
  put(".pin span", say.pin);
  put(".confirm", say.confirm);
  put(".cancel", say.cancel);
  const pin = form.querySelector("input");
  form.querySelector(".pin").hidden = request.method !== "sim";
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    decide(form, "confirm", request.id, { pin: pin.value });
  });
  form.querySelector(".cancel").addEventListener("click", () => decide(form, "cancel", request.id, {}));
  screen_.append(form);
  return form;
}

async function refresh() {
  const pending = await (await fetch("/api/pending")).json();
  const ids = new Set(pending.map((request) => request.id));
  for (const [id, form] of shown) {
    if (!ids.has(id)) { form.remove(); shown.delete(id); }
  }
  for (const request of pending) {
    if (!shown.has(request.id)) { shown.set(request.id, show(request)); }
  }
  empty.hidden = shown.size > 0;
}

async function run() {
  const now = new Date();
  document.getElementById("clock").textContent =
    `${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
  try { await refresh(); } catch { /* the simulator has ended, or is not there yet: ask again */ }
  setTimeout(run, 400);
}

run();

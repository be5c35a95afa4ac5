// Fills an operation's address from its form, asks, and shows what came. Nothing else is fetched.
"use strict";
const MOST = 20000;

function address(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("[name]")) {
    if (field.dataset.in === "path") {
      path = path.replace(`{${field.name}}`, () => encodeURIComponent(field.value || field.placeholder));
    } else if (field.value) {
      query.set(field.name, field.value);
    }
  }
  const base = new URL(".", document.baseURI).href;
  return new URL(path.slice(1) + (query.size ? `?${query}` : ""), base).href;
}

async function show(answer, response) {
  const type = response.headers.get("content-type") ?? "";
  const head = `HTTP ${response.status} ${type}`;
  const body = await response.arrayBuffer();
  const isText = /json|text|xml/.test(type);
  let text = isText ? new TextDecoder().decode(body) : `${body.byteLength} B`;
  if (type.includes("json")) text = JSON.stringify(JSON.parse(text), null, 2);
  answer.textContent = `${head}\n\n${text.slice(0, MOST)}${text.length > MOST ? "\n…" : ""}`;
}

for (const form of document.querySelectorAll("form[data-path]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const link = form.querySelector("a");
    const answer = form.parentElement.querySelector(".answer");
    link.href = link.textContent = address(form);
    link.hidden = answer.hidden = false;
    try {
      await show(answer.firstChild, await fetch(link.href, { method: form.dataset.method }));
    } catch (error) {
      answer.firstChild.textContent = String(error);
    }
  });
}

function follow() {
  const there = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (there instanceof HTMLDetailsElement) there.open = true;
}
addEventListener("hashchange", follow);
follow();

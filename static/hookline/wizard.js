"use strict";

// The Fields step: one list of tokens serves every row, as a combobox (WAI-ARIA 1.2).

const source = document.getElementById("hl-tokens");
const tokens = source ? JSON.parse(source.textContent) : [];
const byName = new Map(tokens.map((token) => [token.name, token]));
const isTokenKind = (kind) => ["token", "repeat", "sample"].includes(kind);
const rowOf = (element) => element.closest(".hl-map-row");
const kindOf = (input) => rowOf(input).querySelector(".hl-map-kind");

let list = null;
let owner = null;
let shown = [];
let current = -1;

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}

function makeList() {
  list = element("div", "hl-tokens");
  list.id = "hl-token-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Tokens");
  list.hidden = true;
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) {
      choose(shown[Number(option.dataset.index)]);
    }
  });
  document.body.append(list);
}

function matching(typed, kind) {
  const words = typed.toLowerCase().replaceAll("%", "").split(/\s+/).filter(Boolean);
  return tokens.filter((token) => {
    if (kind === "repeat" && !token.list) {
      return false;
    }
    const text = `${token.name} ${token.label} ${token.type} ${token.badges.join(" ")}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function open(input, typed) {
  owner = input;
  shown = matching(typed, kindOf(input).value);
  list.replaceChildren();
  let group = "";
  let box = list;
  shown.forEach((token, index) => {
    if (token.group !== group) {
      group = token.group;
      box = element("div", "hl-token-group");
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", group);
      const title = element("div", "hl-token-title", group);
      title.setAttribute("aria-hidden", "true");
      box.append(title);
      list.append(box);
    }
    const option = element("div", "hl-token-option");
    option.id = `hl-token-${index}`;
    option.dataset.index = index;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const head = element("span", "hl-token-head");
    head.append(element("span", "hl-strong", token.label), element("code", "hl-code", `%${token.name}%`));
    token.badges.forEach((badge) => head.append(element("span", "hl-tag", badge)));
    const tail = element("span", "hl-muted hl-token-tail", `${token.type} · ${token.example || "no example"}`);
    option.append(head, tail);
    box.append(option);
  });
  if (!shown.length) {
    const isNamed = /^%?(tags|custom)\../.test(typed);
    const hint = isNamed ? "One value by its own name." : "No token has this name. One tag is tags.Region, one custom field custom.name.";
    list.append(element("p", "hl-muted hl-card-body", hint));
  }
  list.hidden = false;
  place();
  input.setAttribute("aria-expanded", "true");
  point(typed && shown.length ? 0 : shown.findIndex((token) => token.name === input.value));
}

function place() {
  const box = owner.getBoundingClientRect();
  const width = Math.min(Math.max(box.width, 380), window.innerWidth - 16);
  const below = window.innerHeight - box.bottom;
  const height = Math.min(340, Math.max(below, box.top) - 16);
  list.style.width = `${width}px`;
  list.style.maxHeight = `${height}px`;
  list.style.left = `${Math.min(box.left, window.innerWidth - width - 8) + window.scrollX}px`;
  const top = below >= height || below >= box.top ? box.bottom + 4 : box.top - Math.min(height, list.offsetHeight) - 4;
  list.style.top = `${top + window.scrollY}px`;
}

function close() {
  if (!owner) {
    return;
  }
  owner.setAttribute("aria-expanded", "false");
  owner.removeAttribute("aria-activedescendant");
  list.hidden = true;
  owner = null;
}

function point(index) {
  list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
  current = index;
  if (index < 0) {
    owner.removeAttribute("aria-activedescendant");
    return;
  }
  const option = document.getElementById(`hl-token-${index}`);
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  owner.setAttribute("aria-activedescendant", option.id);
}

function choose(token) {
  const input = owner;
  set(input, token.name);
  close();
  input.focus();
}

function set(input, name) {
  const kind = kindOf(input);
  if (kind.value === "text") {
    const at = input.selectionStart ?? input.value.length;
    input.value = `${input.value.slice(0, at).replace(/%\w*$/, "")}%${name}%${input.value.slice(at)}`;
  } else {
    input.value = name;
    if (kind.value !== "repeat" && kind.querySelector("[value=token]")) {
      kind.value = "token";
    }
  }
  dress(input);
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function dress(input) {
  const row = rowOf(input);
  const kind = kindOf(input).value;
  const usesTokens = isTokenKind(kind);
  const isIdle = kind === "omit" || (kind === "sample" && row.matches(".hl-map-container"));
  input.disabled = isIdle;
  input.hidden = isIdle;
  input.placeholder = { token: "Choose a token", sample: "Choose a token", repeat: "Choose a list", text: "Call from %ani%", constant: "Always this value" }[kind] ?? "";
  if (usesTokens) {
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", "hl-token-list");
    input.setAttribute("aria-expanded", "false");
  } else {
    ["role", "aria-autocomplete", "aria-controls", "aria-expanded"].forEach((name) => input.removeAttribute(name));
  }
  const note = row.querySelector(".hl-map-note");
  const token = usesTokens ? byName.get(input.value.trim().replace(/^%|%$/g, "")) : undefined;
  if (note && input.dataset.shown !== undefined && input.dataset.shown !== `${kind} ${input.value}`) {
    note.textContent = token ? `${token.label} · ${token.type}${token.badges.length ? ` · ${token.badges.join(", ")}` : ""}` : "";
  }
  input.dataset.shown = `${kind} ${input.value}`;
}

function onKey(event) {
  const input = event.target;
  // To search is no answer: without this, Enter would press Next, or Send test.
  if (event.key === "Enter" && input.matches("input[type=search]")) {
    event.preventDefault();
  }
  if (!input.matches("[data-token-input]")) {
    return;
  }
  const usesTokens = isTokenKind(kindOf(input).value);
  const isOpen = owner === input;
  switch (event.key) {
    case "ArrowDown":
    case "ArrowUp":
      if (!usesTokens) {
        return;
      }
      event.preventDefault();
      if (!isOpen) {
        open(input, byName.has(input.value) ? "" : input.value);
      }
      if (shown.length) {
        const step = event.key === "ArrowDown" ? 1 : -1;
        point((current + step + shown.length) % shown.length);
      }
      return;
    case "Enter":
      if (isOpen && current >= 0) {
        event.preventDefault();
        choose(shown[current]);
      } else if (usesTokens) {
        event.preventDefault();
        close();
      }
      return;
    case "Escape":
      if (isOpen) {
        event.stopPropagation();
        close();
      }
      return;
    case "Tab":
      close();
  }
}

async function reload(button, method) {
  const row = rowOf(button);
  const panel = row.querySelector(".hl-map-options");
  await window.htmx.ajax(method, row.querySelector("[data-options]").dataset.options, {
    source: panel,
    target: panel,
    values: method === "POST" ? Object.fromEntries(new FormData(document.getElementById("hl-step"))) : {},
  });
}

function onClick(event) {
  const more = event.target.closest("[data-options]");
  if (more) {
    const panel = rowOf(more).querySelector(".hl-map-options");
    const isOpen = more.getAttribute("aria-expanded") === "true";
    more.setAttribute("aria-expanded", String(!isOpen));
    panel.hidden = isOpen;
    if (!isOpen && !panel.childElementCount) {
      reload(more, "POST");
    }
    return;
  }
  const suggestion = event.target.closest("[data-suggest]");
  if (suggestion) {
    set(rowOf(suggestion).querySelector("[data-token-input]"), suggestion.dataset.suggest);
    return;
  }
  if (event.target.closest("[data-add-header]")) {
    const rows = document.getElementById("hl-headers");
    rows.append(document.getElementById("hl-header-template").content.cloneNode(true));
    rows.lastElementChild.querySelector("input").focus();
    return;
  }
  const removal = event.target.closest("[data-remove-header]");
  if (removal) {
    removal.closest(".hl-header-row").remove();
    document.querySelector("[data-add-header]").focus();
  }
}

function onFields() {
  makeList();
  document.querySelectorAll("[data-token-input]").forEach(dress);
  const form = document.getElementById("hl-step");
  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-token-input]")) {
      if (isTokenKind(kindOf(event.target).value)) {
        open(event.target, event.target.value);
      }
    }
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches(".hl-map-kind")) {
      const input = rowOf(event.target).querySelector("[data-token-input]");
      if (event.target.value === "sample" || event.target.value === "omit") {
        input.value = "";
      }
      dress(input);
    } else if (event.target.matches("[data-token-input]")) {
      const kind = kindOf(event.target);
      if (kind.value === "sample" && event.target.value.trim()) {
        kind.value = "token";
      }
      dress(event.target);
    } else if (event.target.matches("[data-reload]")) {
      reload(event.target, "POST");
    }
  });
  form.addEventListener("click", (event) => {
    const input = event.target;
    if (input.matches("[data-token-input]") && isTokenKind(kindOf(input).value) && owner !== input) {
      open(input, byName.has(input.value) ? "" : input.value);
      input.select();
    }
  });
  form.addEventListener("focusout", (event) => {
    if (event.target === owner) {
      close();
    }
  });
  window.addEventListener("resize", close);
}

document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
if (source) {
  onFields();
}
// The theme hides the page until it has started, and browsers do not focus what is hidden.
window.addEventListener("load", () => {
  const places = [".hl-alert[autofocus]", ".hl-field-bad :is(input, select, textarea)", "[autofocus]"];
  places.map((place) => document.querySelector(place)).find(Boolean)?.focus();
});

// The theme's searchable selects tell jQuery alone of a choice, and are made once.
if (window.django?.jQuery) {
  const $ = window.django.jQuery;
  $(document).on("select2:select", (event) => {
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("htmx:afterSettle", () => $(".unfold-admin-autocomplete").djangoCustomSelect2());
}

// A second click on Next or Finish would ask for a draft that has gone on, or is no more.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.isSent) {
    event.preventDefault();
  }
  event.target.dataset.isSent = "true";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[data-is-sent]").forEach((form) => {
    delete form.dataset.isSent;
  });
});

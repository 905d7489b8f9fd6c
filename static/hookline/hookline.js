"use strict";

// The content security policy refuses the style that htmx would write into the page.
if (window.htmx) {
  window.htmx.config.includeIndicatorStyles = false;
}

// That something is too much just now is told where its result would be.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 429) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.textContent.trim());
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = label;
    }, 1500);
  }
  document.querySelectorAll("details[data-popover][open]").forEach((popover) => {
    if (!popover.contains(event.target)) {
      popover.open = false;
    }
  });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") {
    return;
  }
  document.querySelectorAll("details[data-popover][open]").forEach((popover) => {
    popover.open = false;
    popover.querySelector("summary").focus();
  });
});

document.addEventListener("input", (event) => {
  const field = event.target.closest("[data-filter]");
  if (!field) {
    return;
  }
  const wanted = field.value.trim().toLowerCase();
  document.querySelectorAll(field.dataset.filter).forEach((row) => {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-popover]") && event.target.open) {
    event.target.querySelector("input[type=search]")?.focus();
  }
}, true);

// The theme makes selects searchable once; a row that is added later has one of its own.
document.addEventListener("formset:added", (event) => {
  window.django?.jQuery(event.target).find(".unfold-admin-autocomplete").djangoCustomSelect2?.();
});

// What is filled in only to be replaced is chosen whole.
document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[data-selected]")) {
    event.target.select();
  }
});

// A row that is added has the number after the highest one.
document.addEventListener("formset:added", (event) => {
  const number = event.target.querySelector?.("input[data-next]");
  if (number && !number.value) {
    const all = event.target.closest("table").querySelectorAll("input[data-next]");
    number.value = Math.max(0, ...[...all].map((each) => Number(each.value))) + 1;
  }
});

// Once an account is chosen, the other selects offer what belongs to it.
document.addEventListener("change", (event) => {
  const select = event.target;
  if (select.id !== "id_account" || !window.location.pathname.endsWith("/add/")) {
    return;
  }
  const typed = select.form.querySelectorAll("input[type=text], input[type=email], textarea");
  if ([...typed].every((field) => field.value === field.defaultValue)) {
    const address = new URL(window.location.href);
    address.searchParams.set("account", select.value);
    window.location.assign(address);
  }
});

// The theme has controls that only a mouse reaches: give them to the keyboard, and names.
const ICON_NAMES = { dock_to_right: "Side bar", close: "Close", more_horiz: "More", search: "Search" };
const CLICKED = "a, button, summary, [x-on\\:click]";

// A field in a table has its name in the head of its column only.
const nameCells = (within) => {
  within.querySelectorAll("td[data-label] :is(input:not([type=hidden]), select, textarea)").forEach((field) => {
    if (!field.labels?.length && !field.hasAttribute("aria-label")) {
      field.setAttribute("aria-label", field.closest("td").dataset.label);
    }
  });
};
document.addEventListener("formset:added", (event) => nameCells(event.target));

// A searchable select is called by the value that is chosen; by its label, too, once it is made.
const nameOf = (select) => select.labels[0]?.textContent.replace("*", "").trim() || select.ariaLabel || "";
const nameSelects = () => setTimeout(() => {
  document.querySelectorAll("select.select2-hidden-accessible").forEach((select) => {
    const shown = select.nextElementSibling?.querySelector(".select2-selection");
    const chosen = shown?.querySelector(".select2-selection__rendered");
    if (!chosen || !nameOf(select)) {
      return;
    }
    shown.id ||= `${chosen.id}-shown`;
    shown.setAttribute("aria-label", nameOf(select));
    shown.setAttribute("aria-labelledby", `${shown.id} ${chosen.id}`);
    chosen.removeAttribute("role");
  });
});
["formset:added", "htmx:afterSettle"].forEach((event) => document.addEventListener(event, nameSelects));
window.addEventListener("load", () => {
  nameSelects();
  window.django?.jQuery(document).on("select2:open", (event) => {
    const search = document.querySelector(".select2-container--open .select2-search__field");
    search?.setAttribute("aria-label", `Search ${nameOf(event.target)}`.trim());
  });
});

document.addEventListener("DOMContentLoaded", () => {
  nameCells(document);
  // Tabs go on in a second line; the theme would now and then fold some away, the open one too.
  document.getElementById("tabs-dropdown")?.parentElement.remove();
  // The theme tells the name of a chosen file in a field of its own, which ours do without.
  document.querySelectorAll("input[type=file]").forEach((input) => {
    input.hasChangeListener = true;
  });
  // An icon is a word in a font: it would be read out beside the text of a control, or as its name.
  document.querySelectorAll(".material-symbols-outlined:not([role])").forEach((icon) => {
    const control = icon.closest(CLICKED);
    const name = ICON_NAMES[icon.textContent.trim()];
    if (!control) {
      return;
    }
    if (control.title || control.textContent.trim() !== icon.textContent.trim()) {
      icon.setAttribute("aria-hidden", "true");
    } else if (name) {
      control.setAttribute("aria-label", name);
    }
  });
  document.getElementById("content")?.setAttribute("role", "main");
  document.querySelectorAll("[x-on\\:click]").forEach((control) => {
    if (control.matches("button, input, select, textarea, summary, a[href]")) {
      return;
    }
    control.tabIndex = 0;
    control.setAttribute("role", "button");
  });
});

document.addEventListener("keydown", (event) => {
  const control = event.target;
  if ((event.key === "Enter" || event.key === " ") && control.matches('[role="button"][tabindex="0"]')) {
    event.preventDefault();
    control.click();
  }
});

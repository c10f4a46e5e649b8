/* Says how far off the times on a page are, and what they are where the reader is. The page is complete without it. */
"use strict";

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

/** Words like "in 3 days" or "12 minutes ago" for a moment in milliseconds. */
function relativeWords(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  if (!unit) return "just now";
  return new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(Math.trunc(seconds / length), unit);
}

/** The same moment by the reader's clock, empty where that clock agrees with the course's. */
function readersWords(iso) {
  const moment = new Date(iso);
  const zone = iso.match(/([+-])(\d\d):(\d\d)$/);
  const minutes = zone ? Number(zone[1] + 1) * (60 * Number(zone[2]) + Number(zone[3])) : 0;
  if (minutes === -moment.getTimezoneOffset()) return "";
  const words = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return `${moment.toLocaleString("en-GB", words)} where you are`;
}

/** Adds a note behind every time that asks for one, and closes what has closed since the page was made. */
function tellTimes(root) {
  for (const time of root.querySelectorAll("time[data-relative]")) {
    const words = [relativeWords(Date.parse(time.dateTime)), readersWords(time.dateTime)].filter(Boolean);
    const note = document.createElement("span");
    note.className = "relative";
    note.textContent = ` (${words.join(", ")})`;
    time.after(note);
  }
  for (const state of root.querySelectorAll("[data-until]")) {
    // The minute named is the last one that counts.
    if (Date.now() >= Date.parse(state.dataset.until) + 60000) state.textContent = "closed";
  }
}

tellTimes(document);
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});

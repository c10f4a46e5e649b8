/* Opens a sealed page with the key in its link. autograder/pages/page_seal.py says how it was sealed. */
"use strict";

const PURPOSE = new TextEncoder().encode("autograder points page");
const NONCE_BYTES = 12;
const KEY_FORM = /^#k=([A-Za-z0-9_-]{22})$/;

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

async function cipherKey(linkKey) {
  const material = await crypto.subtle.importKey("raw", linkKey, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: PURPOSE };
  return crypto.subtle.deriveKey(derivation, material, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
}

/** The page's contents; rejects if the key is another page's. */
async function unseal(sealed, linkKey) {
  const bytes = fromBase64(sealed.content.textContent.trim());
  const page = new TextEncoder().encode(sealed.dataset.page);
  const cipher = { name: "AES-GCM", iv: bytes.subarray(0, NONCE_BYTES), additionalData: page };
  const packed = await crypto.subtle.decrypt(cipher, await cipherKey(linkKey), bytes.subarray(NONCE_BYTES));
  const length = new DataView(packed).getUint32(0);
  const stream = new Blob([packed.slice(4, 4 + length)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function tell(message) {
  for (const each of document.querySelectorAll("#messages > p")) each.hidden = each.id !== message;
}

/** Shows the contents. They were escaped before they were sealed; the parsed document runs no script either way. */
function show(contents) {
  const article = new DOMParser().parseFromString(contents, "text/html").getElementById("opened");
  document.getElementById("title").textContent = article.dataset.title;
  document.title = article.dataset.title;
  document.getElementById("opened")?.remove();
  document.getElementById("page").append(document.adoptNode(article));
  tellTimes(article);
}

async function open() {
  const key = location.hash.match(KEY_FORM);
  if (location.hash.length <= 1) return tell("no-key");
  if (!globalThis.crypto?.subtle || !globalThis.DecompressionStream) return tell("no-crypto");
  if (!key) return tell("wrong-key");
  try {
    show(await unseal(document.getElementById("sealed"), fromBase64(key[1].replace(/-/g, "+").replace(/_/g, "/"))));
    tell("");
  } catch {
    document.getElementById("opened")?.remove();
    tell("wrong-key");
  }
}

/* A jump within the page must leave the key in the address, or reloading would close the page. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  for (let fold = target.closest("details") ?? target.querySelector("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.scrollIntoView();
  target.focus({ preventScroll: true });
});

addEventListener("hashchange", open);
open();

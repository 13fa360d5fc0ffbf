"use strict";
// A link to a layer opens it; what has a data-tip shows it under the pointer or the finger.
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView({ block: "start" });
  }
}
addEventListener("hashchange", openTarget);
openTarget();

const tip = document.getElementById("tip");
function show(event) {
  const found = event.target.closest("[data-tip]");
  // A finger on a layer opens it, which tells the same.
  const owner = event.pointerType === "touch" && found?.tagName === "SUMMARY" ? null : found;
  tip.hidden = !owner;
  if (!owner) return;
  tip.textContent = owner.dataset.tip;
  const box = owner.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left), innerWidth - tip.offsetWidth - 8);
  const below = box.bottom + 8 + tip.offsetHeight < innerHeight;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? box.bottom + 6 : box.top - tip.offsetHeight - 6}px`;
}
for (const type of ["pointerover", "focusin", "pointerdown"]) addEventListener(type, show);
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

// A second look before a step that cannot be taken back: <button data-confirm="the question">.
// The server asks on its own page where the step is dangerous; this only saves a slip of the hand.

document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("[data-confirm]");
    if (button && !confirm(button.dataset.confirm)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  { capture: true },
);

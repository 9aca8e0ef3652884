// Reads labels, bags and seals with the camera: <button data-scan="field|pick|open" data-scan-for="<id>" hidden>.
// "field" puts one code into an input and closes; "pick" ticks the boxes whose value a label names and stays open;
// "open" goes to the hand-over whose code somebody shows.
// Without a camera, or when it is refused, the words say so and typing stays what it was. Holds no text of its own.

const known = new WeakSet();

export function enhance(button) {
  if (known.has(button) || !navigator.mediaDevices?.getUserMedia) return;
  known.add(button);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { Scan } = await import("./scan-window.js");
    await new Scan(button).start();
  });
}

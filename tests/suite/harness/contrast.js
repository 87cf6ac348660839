// What is too faint on this page: texts below 4.5:1 and graphics below 3:1 (WCAG 2.2, 1.4.3 and 1.4.11).
const channels = (color) => color.match(/[\d.]+/g).map(Number);
const light = (color) => {
  const parts = channels(color).slice(0, 3).map((part) => part / 255);
  const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => {
  const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
};
const solid = (color) => channels(color)[3] !== 0;
const behind = (element) => {
  for (let node = element; node; node = node.parentElement) {
    const color = getComputedStyle(node).backgroundColor;
    if (solid(color)) return color;
  }
  return "rgb(255, 255, 255)";
};
const seen = (element) => element.getClientRects().length > 0;
const told = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
const found = { texts: 0, shapes: 0, faint: [] };
const judge = (element, color, back, least) => {
  const is = ratio(color, back);
  if (is < least) found.faint.push(`${is.toFixed(2)} ${element.tagName}.${element.getAttribute("class")} ${element.textContent}`);
};
for (const element of document.querySelectorAll("body *")) {
  if (!seen(element) || element.closest("noscript")) continue;
  const style = getComputedStyle(element);
  const shape = element.tagName === "rect" && solid(style.fill);
  if (shape || element.classList.contains("swatch")) {
    found.shapes += 1;
    const color = shape ? style.fill : style.backgroundColor;
    judge(element, color, behind(shape ? element.closest("svg") : element.parentElement), 3);
  } else if (told(element) && !element.closest("svg")) {
    found.texts += 1;
    judge(element, style.color, behind(element), 4.5);
  }
}
return found;

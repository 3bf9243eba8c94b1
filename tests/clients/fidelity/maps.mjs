// A browser draws the style of each layer of a site as a web map, at the place and size of QGIS's pictures.
// `maps.mjs BASE NODE_MODULES CHROMIUM PICTURES`: reads styles.json there, leaves ID-web.png.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [base, modules, chromiumPath, pictures] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "any.js"));
const { chromium } = require("playwright-core");

// Without a screen or a graphics card.
const SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const said = JSON.parse(readFileSync(`${pictures}/styles.json`, "utf8"));

// In the page: a map of nothing but the style, without labels; ends when everything is drawn.
async function drawn({ library, style, middle, zoom }) {
  const { Map } = await import(library);
  const container = document.createElement("div");
  Object.assign(container.style, { position: "fixed", inset: "0", background: "#fff" });
  document.body.replaceChildren(container);
  const map = new Map({
    container,
    style,
    center: middle,
    zoom,
    interactive: false,
    attributionControl: false,
    fadeDuration: 0,
    canvasContextAttributes: { antialias: true, preserveDrawingBuffer: true },
  });
  const wrong = [];
  map.on("error", ({ error }) => wrong.push(String(error)));
  map.on("styleimagemissing", ({ id }) => wrong.push(`no picture ${id}`));
  await map.once("idle");
  return wrong;
}

const assets = await (await fetch(`${base}/collections/${said.styles[0]}?f=html`)).text();
const script = /src="([^"]*map[^"]*\.mjs[^"]*)"/.exec(assets)[1];
const library = new URL("maplibre-gl.mjs", new URL(script, `${base}/`)).href;
const browser = await chromium.launch({ executablePath: chromiumPath, args: SOFTWARE });
const context = await browser.newContext({ viewport: { width: said.side_px, height: said.side_px }, deviceScaleFactor: 1 });
const page = await context.newPage();
await page.goto(`${base}/collections/${said.styles[0]}?f=html`);
let failed = 0;
for (const id of said.styles) {
  const style = await (await fetch(`${base}/styles/${id}?f=mapbox`)).json();
  style.layers = style.layers.filter(({ layout }) => layout?.["text-field"] === undefined);
  const wrong = await page.evaluate(drawn, { library, style, middle: said.middle, zoom: said.zoom });
  await page.screenshot({ path: `${pictures}/${id}-web.png` });
  if (wrong.length > 0) {
    failed += 1;
    console.error(`FAILED ${id}:`, wrong);
  }
}
await browser.close();
console.log(`Chromium: ${said.styles.length} styles drawn, ${failed} with errors`);
process.exit(failed === 0 ? 0 : 1);

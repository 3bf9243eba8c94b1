// A browser looks at the map of every layer of a town, and a reader of glyphs at its fonts.
// `maps.mjs BASE NODE_MODULES CHROMIUM FOLDER`; pictures are left in FOLDER. Ends with what failed.
import { createRequire } from "node:module";
import path from "node:path";

const [base, modules, chromiumPath, folder] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "any.js"));
const { chromium } = require("playwright-core");
const glyphs = require("@mapbox/glyph-pbf-composite");

// Without a screen or a graphics card.
const SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const READY_MS = 30_000;
// Pixels of a legend's colour that a map must show.
const PIXELS_MIN = 20;
// What two renderers may differ by, of 255: blending and rounding.
const TOLERANCE = 10;
// Classes of a legend that no feature of the town is in: « Autre espèce ».
const EMPTY = ["arbres: rgb(130,130,130)"];
// The driver's own word on reading a picture back.
const DRIVER = /GL Driver Message|GPU stall/;

let passed = 0;
let failed = 0;

function judge(what, isTrue, found = "") {
  if (isTrue) passed += 1;
  else {
    failed += 1;
    console.error(`FAILED ${what}`, found);
  }
}

async function fonts() {
  const json = await (await fetch(`${base}/fonts.json`)).json();
  for (const face of json) {
    const read = async (range) => glyphs.decode(Buffer.from(await (await fetch(`${base}/fonts/${encodeURIComponent(face)}/${range}.pbf`)).arrayBuffer())).stacks[0];
    const latin = await read("0-255");
    const named = new Map(latin.glyphs.map((glyph) => [String.fromCodePoint(glyph.id), glyph]));
    judge(`${face}: name and range`, latin.name === face && latin.range === "0-255", latin);
    judge(`${face}: M is wider than i`, named.get("M").advance > named.get("i").advance);
    judge(`${face}: é, ç and the digits`, [..."éçÀ0123456789"].every((sign) => named.has(sign)));
    judge(`${face}: œ in the next range`, (await read("256-511")).glyphs.some((glyph) => glyph.id === "œ".codePointAt(0)));
    judge(`${face}: ’ and … among the punctuation`, (await read("8192-8447")).glyphs.length > 20);
    judge(`${face}: no Chinese, and no error`, (await read("19968-20223")).glyphs.length === 0);
    const sizes = latin.glyphs.every((glyph) => (glyph.bitmap?.length ?? 0) === (glyph.width === 0 ? 0 : (glyph.width + 6) * (glyph.height + 6)));
    judge(`${face}: fields have a border of three`, sizes);
  }
}

// In the page: the colours that the legend's samples are filled or drawn with, as [red, green, blue]. Drawn four times as
// large, so that what is one pixel wide there is an edge between two colours and none of its own.
function legendColours() {
  const scale = 4;
  const picture = document.querySelector(".legend");
  const canvas = document.createElement("canvas");
  // The samples stand in the first 38 pixels, text behind them.
  const [width, height] = [38 * scale, picture.naturalHeight * scale];
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, picture.naturalWidth * scale, height);
  const words = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const solid = new Map();
  for (let y = 1; y < height - 1; y += 1)
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const around = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1];
      if (around.every((step) => words[at + step] === words[at])) solid.set(words[at], (solid.get(words[at]) ?? 0) + 1);
    }
  const colours = [...solid].filter(([, pixels]) => pixels >= 8).map(([word]) => [word & 255, (word >> 8) & 255, (word >> 16) & 255]);
  return colours.filter((colour) => Math.min(...colour) < 250);
}

// In the page: how many pixels of the map have each colour, and the place of one, in pixels of the page.
function mapPixels({ colours, tolerance }) {
  const map = document.querySelector("#carte canvas");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [map.width, map.height];
  const context = canvas.getContext("2d");
  // What is half transparent lies on white, as in the legend.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(map, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  const box = map.getBoundingClientRect();
  const scale = width / box.width;
  // Controls lie over the edges.
  const edge = Math.round(60 * scale);
  return colours.map((colour) => {
    // A pale colour must not be taken for the ground.
    const near = Math.min(tolerance, (255 - Math.min(...colour)) / 2);
    const is = (x, y) => colour.every((value, channel) => Math.abs(data[4 * (y * width + x) + channel] - value) <= near);
    const found = { colour, pixels: 0, place: null };
    let isInside = false;
    for (let y = edge; y < height - edge; y += 1)
      for (let x = edge; x < width - edge; x += 1)
        if (is(x, y)) {
          found.pixels += 1;
          if (isInside) continue;
          isInside = is(x - 1, y) && is(x + 1, y) && is(x, y - 1) && is(x, y + 1);
          if (isInside || found.place === null) found.place = [box.x + x / scale, box.y + y / scale];
        }
    return found;
  });
}

// A page that remembers what went wrong with it.
async function watched(context) {
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !DRIVER.test(message.text())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => {
    if (!["data:", "blob:"].some((inside) => request.url().startsWith(inside)) && new URL(request.url()).origin !== base) wrong.push(`asks ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} ${response.url()}`);
  });
  return { page, wrong };
}

async function popup(page, id) {
  const shown = page.locator(".maplibregl-popup-content article").first();
  await shown.waitFor({ timeout: 5000 });
  const [text, href] = [await shown.innerText(), await shown.locator("a").getAttribute("href")];
  const item = await (await fetch(href.replace("f=html", "f=geojson"))).json();
  const schema = await (await fetch(`${base}/collections/${id}/schema`)).json();
  const titles = Object.entries(item.properties).filter(([, value]) => value !== null && value !== "").map(([name]) => schema.properties[name].title ?? name);
  judge(`${id}: the popup names its columns`, titles.every((title) => text.includes(title)), { titles, text });
  const words = Object.values(item.properties).filter((value) => typeof value === "string" && !/^\d{4}-/.test(value));
  judge(`${id}: the popup says the values`, words.every((word) => text.includes(word)), { words, text });
}

async function look(browser, id) {
  // Two pixels a point: a line of one point has pixels of its own colour.
  const { page, wrong } = await watched(await browser.newContext({ viewport: { width: 1000, height: 1400 }, deviceScaleFactor: 2 }));
  await page.goto(`${base}/collections/${id}?f=html`);
  await page.locator('#carte[data-state="idle"]').waitFor({ timeout: READY_MS });
  const colours = await page.evaluate(legendColours);
  judge(`${id}: the legend has colours`, colours.length > 0);
  const found = await page.evaluate(mapPixels, { colours, tolerance: TOLERANCE });
  for (const { colour, pixels } of found) {
    const what = `${id}: rgb(${colour})`;
    judge(`${what} is on the map where there are such features`, EMPTY.includes(what) ? pixels === 0 : pixels >= PIXELS_MIN, pixels);
  }
  await page.screenshot({ path: `${folder}/map-${id}.png` });
  const places = found.filter(({ place }) => place !== null);
  judge(`${id}: there is something to click on`, places.length > 0);
  if (places.length > 0) {
    await page.mouse.click(...places[0].place);
    await popup(page, id).catch((error) => judge(`${id}: a click shows attributes`, false, error));
    await page.screenshot({ path: `${folder}/map-${id}-popup.png` });
  }
  judge(`${id}: the first items in a table`, (await page.locator("main table").first().locator("tbody tr").count()) > 0);
  judge(`${id}: the canvas says what it is`, (await page.locator("#carte canvas").getAttribute("aria-label")).startsWith("Carte : "));
  judge(`${id}: no error, no warning, nothing from elsewhere`, wrong.length === 0, wrong);
  await page.context().close();
  await narrow(browser, id);
}

async function narrow(browser, id) {
  const { page, wrong } = await watched(await browser.newContext({ viewport: { width: 390, height: 844 } }));
  await page.goto(`${base}/collections/${id}?f=html`);
  await page.locator('#carte[data-state="idle"]').waitFor({ timeout: READY_MS });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  const found = await page.evaluate(mapPixels, { colours: await page.evaluate(legendColours), tolerance: TOLERANCE });
  judge(`${id}: something is on a phone's map`, found.some(({ pixels }) => pixels >= PIXELS_MIN), found);
  judge(`${id}: a phone scrolls one way`, width <= 390, width);
  judge(`${id}: nor is anything wrong there`, wrong.length === 0, wrong);
  await page.screenshot({ path: `${folder}/map-${id}-390.png`, fullPage: true });
  await page.context().close();
}

async function keyboard(browser) {
  const { page } = await watched(await browser.newContext({ viewport: { width: 1000, height: 1400 } }));
  await page.goto(`${base}/collections/communes?f=html`);
  await page.locator('#carte[data-state="idle"]').waitFor({ timeout: READY_MS });
  await page.locator("#carte canvas").focus();
  await page.keyboard.press("Enter");
  await popup(page, "communes").catch((error) => judge("Enter shows what is at the middle", false, error));
  await page.context().close();
}

async function withoutScript(browser) {
  const { page, wrong } = await watched(await browser.newContext({ javaScriptEnabled: false }));
  await page.goto(`${base}/collections/communes?f=html`);
  judge("without a script: a word on it", (await page.locator("#carte").innerText()).includes("JavaScript"));
  judge("without a script: the table", (await page.locator("main table").first().locator("tbody tr").count()) > 0);
  judge("without a script: nothing wrong", wrong.length === 0, wrong);
  await page.context().close();
}

async function withoutGraphics() {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-3d-apis"] });
  const page = await browser.newPage();
  await page.goto(`${base}/collections/communes?f=html`);
  const said = page.locator("#carte p", { hasText: "WebGL" });
  await said.waitFor({ timeout: READY_MS }).then(() => judge("without WebGL: a word on it", true), (error) => judge("without WebGL: a word on it", false, error));
  await browser.close();
}

await fonts();
const { collections } = await (await fetch(`${base}/collections`)).json();
const browser = await chromium.launch({ executablePath: chromiumPath, args: SOFTWARE });
for (const { id } of collections.filter(({ extent }) => extent?.spatial)) await look(browser, id).catch((error) => judge(`${id}: a map`, false, error));
await keyboard(browser);
await withoutScript(browser);
await browser.close();
await withoutGraphics();
console.log(`maps: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

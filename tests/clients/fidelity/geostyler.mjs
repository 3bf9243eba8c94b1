// Second opinions: GeoStyler reads each style's QML and both versions of the SLD that is served for it.
// `geostyler.mjs BASE NODE_MODULES PICTURES`: reads styles.json there. Ends with what contradicts.
//
// Both versions of SLD say the same, and where GeoStyler understands all of the QML, it finds the classes, colours and widths
// that are served, as SLD and as MapLibre (which keeps the colours of its pictures in the pictures).
import { readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [base, modules, pictures] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "any.js"));
// Written for bundlers, which find files without their extension.
registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch {
      return next(`${specifier}.js`, context);
    }
  },
});
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { QGISStyleParser } = await load("geostyler-qgis-parser");
const { SldStyleParser } = await load("geostyler-sld-parser");

const MM_PX = 96 / 25.4;
// Marks of QGIS without an inside, whose colour draws nothing.
const OPEN = ["cross", "cross2", "x", "line", "shape://plus", "shape://times"];
// Symbol layers that GeoStyler knows all of.
const KNOWN = ["SimpleMarker", "SimpleLine", "SimpleFill"];
// Brushes and pens that draw nothing or a pattern, which it takes for plain ones.
const MISREAD = /name="(style|line_style|outline_style)"[^>]*value="(?!solid)|value="(?!solid)[^"]*"[^>]*name="(style|line_style|outline_style)"/;

let contradictions = 0;

function judge(id, what, isTrue, found) {
  if (isTrue) return;
  contradictions += 1;
  console.error(`FAILED ${id}: ${what}`, JSON.stringify(found));
}

async function text(id, format) {
  const answer = await fetch(`${base}/styles/${id}?f=${format}`);
  if (!answer.ok) throw new Error(`${id} ${format}: ${answer.status}`);
  return answer.text();
}

async function read(parser, id, format) {
  const { output, errors } = await parser.readStyle(await text(id, format));
  judge(id, `${format} is read`, output !== undefined && (errors ?? []).length === 0, errors);
  return output?.rules ?? [];
}

function colours(symbolizer) {
  const names = symbolizer.kind === "Mark" ? ["color", "strokeColor"] : symbolizer.kind === "Fill" ? ["color", "outlineColor"] : ["color"];
  return names.map((name) => symbolizer[name]?.toLowerCase()).filter((colour) => colour !== undefined);
}

// What GeoStyler takes for certain and is not: the reason, or nothing.
function misread(qml, rules) {
  const strange = [...qml.matchAll(/<layer\b[^>]*\bclass="(\w+)"/g)].map(([, name]) => name).filter((name) => !KNOWN.includes(name));
  if (strange.length > 0) return `does not know ${[...new Set(strange)].join(", ")}`;
  if (MISREAD.test(qml)) return "takes every brush and pen for a plain one";
  if (rules.some(({ symbolizers }) => symbolizers?.some(({ color }) => color === "transparent"))) return "does not know lines of polygons";
  return rules.some(({ symbolizers }) => (symbolizers ?? []).length === 0) ? "leaves out rules below rules" : "";
}

function compare(id, theirs, ours, map, isInMillimetres) {
  judge(id, "as many classes", theirs.length === ours.length, [theirs.length, ours.length]);
  theirs.forEach(({ name, symbolizers }, at) => {
    const served = (ours[at]?.symbolizers ?? []).flatMap(colours);
    const shown = symbolizers.flatMap((one) => (OPEN.includes(one.wellKnownName) ? colours({ ...one, color: undefined }) : colours(one)));
    for (const colour of shown) {
      judge(id, `${name}: ${colour} in the SLD`, served.includes(colour), served);
      judge(id, `${name}: ${colour} in the web map`, map.includes(`"${colour}"`) || map.includes('"icon-image"'));
    }
    const widths = (all) => (all ?? []).filter(({ kind }) => kind === "Line").map(({ width }) => width);
    const [expected, found] = [widths(symbolizers).map((width) => width * MM_PX), widths(ours[at]?.symbolizers)];
    const isAlike = expected.length === found.length && expected.every((width, nth) => width === 0 || Math.abs(width - found[nth]) < 0.01);
    judge(id, `${name}: widths`, !isInMillimetres || isAlike, [expected, found]);
  });
}

let compared = 0;
const { styles } = JSON.parse(readFileSync(`${pictures}/styles.json`, "utf8"));
for (const id of styles) {
  const [first, second] = [await read(new SldStyleParser({ sldVersion: "1.0.0" }), id, "sld10"), await read(new SldStyleParser({ sldVersion: "1.1.0" }), id, "sld11")];
  // Units and offsets came with 1.1.
  const gist = (rules) => JSON.stringify(rules.map(({ name, filter, scaleDenominator, symbolizers }) => [name, filter, scaleDenominator, symbolizers.map(colours)]));
  judge(id, "SLD 1.0 and 1.1 have the same rules", gist(first) === gist(second), [first, second]);
  const qml = (await text(id, "qml")).replace(/<labeling[\s\S]*?<\/labeling>/g, "");
  if (!qml.includes("<renderer-v2")) continue;
  const theirs = await read(new QGISStyleParser(), id, "qml");
  const reason = misread(qml, theirs);
  if (reason !== "") console.log(`GeoStyler: ${id}: ${reason}`);
  else {
    compared += 1;
    const isInMillimetres = !/(name|k)="line_width_unit"[^>]*"(?!MM")(Point|Pixel|MapUnit|Inch)|"(Point|Pixel|MapUnit|Inch)"[^>]*="line_width_unit"/.test(qml);
    compare(id, theirs, first, await text(id, "mapbox"), isInMillimetres);
  }
}
console.log(`GeoStyler: ${styles.length} styles as SLD, ${compared} as QML, ${contradictions} contradictions`);
process.exit(contradictions === 0 ? 0 : 1);

// The map of a layer's page. What it shows stands in the page as JSON (`#carte-dit`); everything it fetches comes from this server.
import { Map, NavigationControl, Popup, ScaleControl } from "./maplibre-gl.mjs";

const said = JSON.parse(document.getElementById("carte-dit").textContent);
const container = document.getElementById("carte");

// Features that one popup shows; further ones are counted.
const SHOWN_MAX = 5;
// A finger and a thin line need some room, in pixels around the pointer.
const REACH_PX = 5;
// A single point is not looked at closer than this.
const FIT_ZOOM_MAX = 16;

const LOCALE = {
  "Map.Title": `Carte : ${said.title}. Flèches : déplacer ; plus et moins : zoomer ; Entrée : ce qui est au centre.`,
  "NavigationControl.ZoomIn": "Zoomer",
  "NavigationControl.ZoomOut": "Dézoomer",
  "Popup.Close": "Fermer",
  "CooperativeGesturesHandler.WindowsHelpText": "Ctrl + molette pour zoomer",
  "CooperativeGesturesHandler.MacHelpText": "⌘ + molette pour zoomer",
  "CooperativeGesturesHandler.MobileHelpText": "Deux doigts pour déplacer la carte",
};

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

// As the tables of the pages write a value.
function french(value) {
  if (typeof value === "boolean") return value ? "oui" : "non";
  if (typeof value === "number") return String(value).replace(".", ",");
  const day = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
  return day ? `${day[3]}/${day[2]}/${day[1]}` : String(value);
}

// Its id as addresses write it: a text is among the tile's properties, an integer is the tile's own id.
const idOf = (feature) => String(feature.properties.id ?? feature.id);

// Tiles may leave attributes out: the item has them all.
async function attributes(feature) {
  try {
    const answer = await fetch(`${said.items}/${encodeURIComponent(idOf(feature))}?f=geojson`);
    if (answer.ok) return (await answer.json()).properties;
  } catch (error) {
    console.warn(error);
  }
  return feature.properties;
}

async function article(feature) {
  const values = await attributes(feature);
  const link = element("a", idOf(feature));
  link.href = `${said.items}/${encodeURIComponent(idOf(feature))}?f=html`;
  const list = element("dl", null);
  for (const [name, title] of said.fields) {
    const value = values[name];
    if (value !== null && value !== undefined && value !== "") list.append(element("dt", title), element("dd", french(value)));
  }
  return element("article", null, element("h3", null, link), list);
}

// Each once, though it lies in several tiles and is drawn by several layers of the style.
function featuresAt(map, point) {
  const around = [[point.x - REACH_PX, point.y - REACH_PX], [point.x + REACH_PX, point.y + REACH_PX]];
  const exact = map.queryRenderedFeatures(point);
  const found = exact.length > 0 ? exact : map.queryRenderedFeatures(around);
  const each = new globalThis.Map(found.map((feature) => [idOf(feature), feature]));
  return [...each.values()];
}

async function tell(map, point, place) {
  const features = featuresAt(map, point);
  if (features.length === 0) return;
  const content = element("div", null, ...(await Promise.all(features.slice(0, SHOWN_MAX).map(article))));
  const more = features.length - SHOWN_MAX;
  if (more > 0) content.append(element("p", more === 1 ? "et un autre objet ici" : `et ${more} autres objets ici`));
  new Popup({ maxWidth: "min(22rem, 90%)" }).setLngLat(place).setDOMContent(content).addTo(map);
}

// Farther away there are no tiles, and the map would be blank.
function firstZoom(map) {
  const sources = Object.keys(map.getStyle().sources).map((name) => map.getSource(name));
  return Math.min(...sources.filter(({ type }) => type === "vector").map(({ minzoom }) => minzoom));
}

function show() {
  const [west, south, east, north] = said.bounds;
  const map = new Map({
    container,
    style: said.style,
    bounds: [[west, south], [east < west ? east + 360 : east, north]],
    fitBoundsOptions: { padding: 24, maxZoom: FIT_ZOOM_MAX },
    locale: LOCALE,
    // The caption names the producer and the licence.
    attributionControl: false,
    cooperativeGestures: true,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    // Else the map is blank on paper.
    canvasContextAttributes: { preserveDrawingBuffer: true },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
  map.on("click", (event) => tell(map, event.point, event.lngLat));
  map.on("mousemove", (event) => {
    map.getCanvas().style.cursor = map.queryRenderedFeatures(event.point).length > 0 ? "pointer" : "";
  });
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Enter") tell(map, map.project(map.getCenter()), map.getCenter());
  });
  map.on("error", (event) => {
    console.error(event.error);
    document.getElementById("carte-etat").textContent = "Une partie de la carte n'a pas pu être chargée.";
  });
  map.once("load", () => map.setMinZoom(firstZoom(map)));
  // What tests wait for.
  map.once("idle", () => {
    container.dataset.state = "idle";
  });
}

try {
  container.replaceChildren();
  show();
} catch (error) {
  console.warn(error);
  container.replaceChildren(element("p", "Ce navigateur ne sait pas dessiner la carte (WebGL) : le tableau dit la même chose."));
}

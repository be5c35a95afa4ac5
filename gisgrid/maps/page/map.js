// Draws the hotspots of a saved page. `data` is made by gisgrid.maps.hotspot_page; nothing is fetched.
function gisgridHotspots(map, data) {
  "use strict";
  const { texts, classes, bounds, key } = data;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const renderer = data.hatched ? L.svg({ padding: 0.5 }) : L.canvas({ padding: 0.5 });
  const number = (value, digits) =>
    value === null || value === undefined ? "–"
      : value.toLocaleString(data.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const chance = (value) =>
    value === null || value === undefined ? "–" : value < 0.001 ? "< " + number(0.001, 3) : number(value, 3);
  const escaped = (text) => {
    const cell = document.createElement("span");
    cell.textContent = text;
    return cell.innerHTML;
  };

  const style = (feature) => {
    const found = classes[feature.properties.label] || { colour: null };
    const fill = !found.colour ? "#ffffff" : data.hatched ? "url(#hatch-" + feature.properties.label + ")" : found.colour;
    return {
      renderer, color: "#6b7278", weight: data.hairline, opacity: found.colour ? 0.55 : data.faint,
      fill: true, fillColor: fill, fillOpacity: found.colour ? 0.92 : 0.01,
    };
  };

  const described = (p) => {
    const [name, ...others] = data.names.map((column) => p[column]).filter(Boolean);
    const found = classes[p.label];
    const rows = data.shown
      .filter((row) => p[row.column] !== undefined)
      .map((row) => {
        const value = row.kind === "chance" ? chance(p[row.column]) : number(p[row.column], row.digits);
        return "<tr><td>" + escaped(row.text) + "</td><td>" + value + "</td></tr>";
      });
    const sentence = p.z === null ? texts.no_value : texts.sentence
      .replace("{neighbours}", number(p.n_neighbours, 0))
      .replace("{observed}", number(p.observed, 1)).replace("{expected}", number(p.expected, 1));
    return '<div class="place"><strong>' + escaped(name || p[key]) + "</strong>"
      + others.map((other) => '<div class="other">' + escaped(other) + "</div>").join("")
      + (name ? '<div class="code">' + escaped(p[key]) + "</div>" : "")
      + (found ? '<div class="label">' + swatch(p.label) + escaped(found.text) + "</div>" : "")
      + "<table>" + rows.join("") + '</table><p class="words">' + escaped(sentence) + "</p></div>";
  };
  const swatch = (label) => {
    const colour = classes[label].colour;
    const fill = colour ? "url(#hatch-" + label + ")" : "#fff";
    return '<svg width="22" height="14" aria-hidden="true"><rect width="22" height="14" fill="' + fill
      + '" stroke="#6b7278" stroke-opacity=".5"/></svg>';
  };

  const byKey = new Map();
  let pinned = null;
  const raised = (layer, on) => {
    layer.setStyle(on ? { weight: 2.4, color: "#22262b", opacity: 1 } : style(layer.feature));
    if (on) layer.bringToFront();
  };
  const areas = L.geoJSON(data.areas, {
    style,
    onEachFeature(feature, layer) {
      byKey.set(feature.properties[key], layer);
      layer.bindTooltip(() => described(feature.properties), { sticky: true, opacity: 1, className: "hover", direction: "auto", offset: [14, 0] });
      layer.bindPopup(() => described(feature.properties), { maxWidth: 320, minWidth: 200, closeButton: true });
      layer.on({
        mouseover: () => raised(layer, true),
        mouseout: () => { if (layer !== pinned) raised(layer, false); },
        popupopen: () => { pinned = layer; layer.closeTooltip(); raised(layer, true); },
        popupclose: () => { pinned = null; raised(layer, false); },
      });
    },
  }).addTo(map);
  if (data.outline) {
    L.geoJSON(data.outline, {
      interactive: false, renderer: L.svg({ padding: 0.5, pane: "overlayPane" }),
      style: { color: "#3d4349", weight: 1.2, opacity: 0.7, fill: false },
    }).addTo(map);
  }

  const home = () => {
    const panel = document.querySelector(".panel");
    const beside = panel && innerWidth > 640 ? panel.offsetWidth + 24 : 12;
    map.fitBounds(bounds, { paddingTopLeft: [beside, 12], paddingBottomRight: [12, 12], animate: false });
  };
  home();
  addEventListener("beforeprint", () => { map.invalidateSize({ animate: false }); home(); });
  document.querySelectorAll(".places button").forEach((button) =>
    button.addEventListener("click", () => {
      const layer = byKey.get(button.dataset.key);
      map.once("moveend", () => layer.openPopup(layer.getBounds().getCenter()));
      map.fitBounds(layer.getBounds().pad(1.5), { animate: !still, duration: 0.4, maxZoom: 16 });
    }));
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  map.attributionControl.setPrefix("Leaflet");
  return areas;
}

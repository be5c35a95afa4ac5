// Draws the hotspots of a saved page. `data` is made by gisgrid.maps.hotspot_page; nothing is fetched.
function gisgridHotspots(map, data) {
  "use strict";
  const { texts, bounds, key, steps } = data;
  const none = { colour: null, fill: "#ffffff" };
  let step = -1; // the slider's: -1 stands for the whole time
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const renderer = data.hatched ? L.svg({ padding: 0.5 }) : L.canvas({ padding: 0.5 });
  const number = (value, digits) => {
    if (value === null || value === undefined) return "–";
    const shown = Math.abs(value) < 0.5 / 10 ** digits ? 0 : value; // no "-0.0"
    return shown.toLocaleString(data.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };
  const chance = (value) =>
    value === null || value === undefined ? "–" : value < 0.001 ? "< " + number(0.001, 3) : number(value, 3);
  const escaped = (text) => {
    const cell = document.createElement("span");
    cell.textContent = text;
    return cell.innerHTML;
  };

  const place = new Map(data.areas.features.map((feature, row) => [feature, row]));
  const classOf = (feature) => {
    if (step < 0) return data.classes[feature.properties.class_];
    const code = steps.labels[step][place.get(feature)];
    return code < 0 ? undefined : steps.classes[code];
  };
  const style = (feature) => {
    const found = classOf(feature) || none;
    if (feature.geometry && feature.geometry.type.endsWith("LineString")) {
      return { renderer, color: found.colour || "#c9ccc8", weight: found.colour ? 4 : 1.5, opacity: 0.95, fill: false };
    }
    return {
      renderer, color: "#6b7278", weight: data.hairline, opacity: found.colour ? 0.55 : data.faint,
      fill: true, fillColor: step < 0 ? found.fill : found.colour || "#ffffff", fillOpacity: found.colour ? 0.92 : 0.01,
    };
  };

  const sentence = (p) => {
    const said = data.sentences[p.class_] || data.sentences[""];
    if (!said) return "";
    let missing = p.class_ === null || p.class_ === undefined;
    const words = said.replace(/\{(\w+)\}/g, (whole, column) => {
      if (p[column] === null || p[column] === undefined) missing = true;
      return number(p[column], data.digits[column]);
    });
    return missing ? texts.no_value : words;
  };
  const described = (feature) => {
    const p = feature.properties;
    const [name, ...others] = data.names.map((column) => p[column]).filter(Boolean);
    const [found, words] = [classOf(feature), sentence(p)];
    const rows = data.shown
      .filter((row) => p[row.column] !== undefined && !(row.column === data.group && p[row.column] === null))
      .map((row) => {
        const value = row.kind === "chance" ? chance(p[row.column]) : number(p[row.column], row.digits);
        return "<tr><td>" + escaped(row.text) + "</td><td>" + value + "</td></tr>";
      });
    const called = name || (data.called ? data.called.replace("{}", p[key]) : p[key]);
    return '<div class="place"><strong>' + escaped(called) + "</strong>"
      + others.map((other) => '<div class="other">' + escaped(other) + "</div>").join("")
      + (name ? '<div class="code">' + escaped(p[key]) + "</div>" : "")
      + (found ? '<div class="label">' + swatch(found) + escaped((step < 0 ? "" : steps.names[step] + ": ") + found.text) + "</div>" : "")
      + "<table>" + rows.join("") + "</table>" + (words ? '<p class="words">' + escaped(words) + "</p>" : "") + "</div>";
  };
  const swatch = (found) =>
    '<svg width="22" height="14" aria-hidden="true"><rect width="22" height="14" fill="' + (found.swatch || found.colour || "#fff")
      + '" stroke="#6b7278" stroke-opacity=".5"/></svg>';

  const byKey = new Map();
  const together = new Map(); // the areas of a group
  let pinned = null;
  const raised = (layer, on) => {
    layer.setStyle(on ? { weight: layer.feature.geometry.type.endsWith("LineString") ? 6 : 2.4, color: "#22262b", opacity: 1 } : style(layer.feature));
    if (on) layer.bringToFront();
  };
  const areas = L.geoJSON(data.areas, {
    style,
    onEachFeature(feature, layer) {
      byKey.set(String(feature.properties[key]), layer);
      const group = data.group ? feature.properties[data.group] : null;
      if (group !== null) together.set(group, [...(together.get(group) || []), layer]);
      layer.bindTooltip(() => described(feature), { sticky: true, opacity: 1, className: "hover", direction: "auto", offset: [14, 0] });
      layer.bindPopup(() => described(feature), { maxWidth: 320, minWidth: 200, closeButton: true });
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

  data.groups.forEach((group) => {
    L.geoJSON(group.outline, {
      interactive: false, renderer: L.svg({ padding: 0.5, pane: "overlayPane" }),
      style: { color: "#22262b", weight: 2.2, fill: false },
    }).addTo(map);
    const icon = L.divIcon({ className: "rank", html: String(group.number), iconSize: [24, 24] });
    L.marker(group.at, { icon, interactive: false, keyboard: false }).addTo(map);
  });

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
      const group = data.group ? layer.feature.properties[data.group] : null;
      const around = group === null ? layer.getBounds().pad(1.5) : L.featureGroup(together.get(group)).getBounds().pad(0.3);
      map.once("moveend", () => layer.openPopup(layer.getBounds().getCenter()));
      map.fitBounds(around, { animate: !still, duration: 0.4, maxZoom: 16 });
    }));
  const [whole, own] = [document.querySelector(".legend"), document.getElementById("step-legend")];
  const explain = () => {
    [whole.hidden, own.hidden] = [step >= 0, step < 0];
    if (step < 0) return;
    own.tBodies[0].innerHTML = steps.classes.map((found, code) => {
      const n = steps.labels[step].filter((label) => label === code).length;
      return "<tr" + (n ? "" : ' class="none"') + "><td>" + swatch(found) + "</td><td>" + escaped(found.text) + "</td><td>" + number(n, 0) + "</td></tr>";
    }).join("");
  };
  const slider = document.getElementById("step");
  if (steps && slider) {
    slider.max = String(steps.names.length);
    slider.addEventListener("input", () => {
      step = Number(slider.value) - 1;
      const said = step < 0 ? texts.all_steps : steps.names[step];
      document.querySelector(".time output").textContent = said;
      slider.setAttribute("aria-valuetext", said);
      map.closePopup();
      areas.setStyle(style);
      explain();
    });
  }
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  map.attributionControl.setPrefix("Leaflet");
  return areas;
}

"use strict";
(() => {
  const CONFIG = {
    responsive: true,
    displaylogo: false,
    // named one by one: plotly's own set has a button that sends the data away
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
    toImageButtonOptions: { format: "svg" },
  };
  const PAPER = 680; // CSS pixels between the margins of an A4 page
  const LOW = 0.7; // of the height of a plot on a screen: what it has on paper, so that a page has two sheets
  const NARROW = 600; // of a telephone
  const plots = [...document.querySelectorAll(".plot")];

  function height(layout, width) {
    // meta.shape: height over width of a plot whose axes are equal, on top of what its legend and labels take
    const shape = layout.meta && layout.meta.shape;
    const legend = width < NARROW ? 270 : 120;
    return shape ? Math.round(Math.min(Math.max(shape * width, 200), 620) + legend) : layout.height;
  }

  function draw(place) {
    const { data, layout } = JSON.parse(place.parentElement.querySelector('script[type="application/json"]').textContent);
    place.dataset.height = layout.height;
    if (place.clientWidth < NARROW) {
      layout.annotations = (layout.annotations || []).filter((each) => each.name !== "note"); // no room
      for (const [name, axis] of Object.entries(layout)) {
        if (!name.startsWith("xaxis")) continue;
        axis.ticklabeloverflow = "hide past domain"; // two panels beside each other: the last of one, the first of the next
        if (axis.type === "log" && axis.dtick) axis.dtick *= 3; // names of a dozen decades collide
      }
      for (const trace of data) {
        const name = (trace.name || "").replace(/^(.{24,36}?[,:]) /, "$1<br>"); // a legend cuts off what is longer
        if (name !== (trace.name || "") && trace.showlegend !== false) layout.height += 30; // and takes the height of the plot
        trace.name = name;
      }
    }
    const sized = Object.assign({}, layout, { autosize: true, height: height(layout, place.clientWidth) });
    return Plotly.newPlot(place, data, sized, CONFIG);
  }

  function unfold(open) {
    for (const each of document.querySelectorAll("details")) {
      if (open && !each.open) each.dataset.folded = "yes";
      if (open || each.dataset.folded) each.open = open;
      if (!open) delete each.dataset.folded;
    }
  }

  addEventListener("beforeprint", () => {
    unfold(true);
    for (const place of plots) {
      const shaped = place.layout.meta && place.layout.meta.shape;
      Plotly.relayout(place, { autosize: false, width: PAPER, height: shaped ? height(place.layout, PAPER) : LOW * Number(place.dataset.height) });
    }
  });
  addEventListener("afterprint", () => {
    unfold(false);
    for (const place of plots) {
      const layout = Object.assign({}, place.layout, { height: Number(place.dataset.height) });
      Plotly.relayout(place, { autosize: true, width: null, height: height(layout, place.parentElement.clientWidth) });
    }
  });
  for (const each of document.querySelectorAll("details")) {
    each.addEventListener("toggle", () => each.querySelectorAll(".plot").forEach((place) => Plotly.Plots.resize(place)));
  }
  Promise.all(plots.map(draw)).then(() => document.documentElement.setAttribute("data-ready", "yes"));
})();

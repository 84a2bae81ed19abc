// Turns the static picture and the list of steps around this script into the interactive stepper.
(() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const PLAY_EVERY = 1200; // milliseconds
  const SMALLEST_TEXT = 11.5; // pixels
  const TEXT_PER_WIDTH = 1 / 112; // and larger where the view is, as on a projector
  const LARGEST_TEXT = 26;
  const NARROW = 640;
  const LEAST_ZOOM = 0.6; // on a narrow screen, where a long edge would not fit
  const MARGIN = 12;
  const ICONS = {
    first: "M3 3h2.5v12H3zM15 3v12L6.5 9z",
    previous: "M12.5 3.5l-2-2L3 9l7.5 7.5 2-2L7 9z",
    play: "M4.5 2.5v13L15 9z",
    pause: "M4 3h3.5v12H4zM10.5 3H14v12h-3.5z",
    next: "M5.5 3.5l2-2L15 9l-7.5 7.5-2-2L11 9z",
    last: "M12.5 3H15v12h-2.5zM3 3v12l8.5-6z",
  };

  for (const root of document.querySelectorAll(".autograd-stepper:not(.ready)")) start(root);

  function start(root) {
    const picture = root.querySelector("picture");
    const list = root.querySelector("ol");
    const details = root.querySelector("details");
    const states = [...list.children];
    const last = states.length - 1;

    // -- the page ---------------------------------------------------------------------------------

    const drawings = {
      wide: inline(picture.querySelector("img").src),
      upright: inline(picture.querySelector("source")?.srcset),
    };
    let svg = drawings.wide;
    let nodes;
    let edges;
    let into; // by node: the edges that lead to it
    let afterEdges;
    const view = element("div", { class: "view" }, svg);
    const formula = element("div", {
      class: "formula", role: "status", "aria-live": "polite", "aria-atomic": "true",
    });
    const buttons = {
      first: button("first", "First (Home)", () => go(0)),
      previous: button("previous", "Previous (←)", () => go(state - 1)),
      play: button("play", "Play (space)", toggle),
      next: button("next", "Next (→)", () => go(state + 1)),
      last: button("last", "Last (End)", () => go(last)),
    };
    const slider = element("input", {
      type: "range", min: 0, max: last, step: 1, value: 0, "aria-label": "Step",
    });
    const counter = element("span", { class: "counter" });
    const controls = element(
      "div", { class: "stepper-controls" }, ...Object.values(buttons), slider, counter,
    );
    picture.replaceWith(view, formula, controls, details);
    details.open = false;
    root.tabIndex = 0;
    // JupyterLab asks the very element that has the focus first, so that all of them must say it.
    for (const each of root.querySelectorAll("button, input, summary, ol, .view")) {
      each.setAttribute("data-lm-suppress-shortcuts", "true");
    }
    root.classList.add("ready");

    // -- the steps --------------------------------------------------------------------------------

    const latest = new Map(); // by node: the last state so far that changed its gradient
    const before = states.map((item) => {
      const previous = latest.get(item.dataset.to);
      latest.set(item.dataset.to, item);
      return previous;
    });
    let state = 0;
    let timer = 0;

    function showGradient(to, item) {
      const node = nodes.get(to);
      if (!node) return;
      const { shown, grad, tint } = item?.dataset ?? { shown: "–", tint: "none" };
      node.querySelector(".grad").textContent = shown;
      node.querySelector(".tint").setAttribute("class", `tint ${tint}`);
      if (item) node.dataset.grad = grad;
      else delete node.dataset.grad;
    }

    // What the forward pass has not come to has neither a number nor local partials.
    function know(made, on) {
      for (const g of [nodes.get(made), ...(into.get(made) ?? [])]) {
        g?.classList.toggle("unknown", !on);
      }
    }

    // Work on a drawing of the graph: take everything back, then redo the steps.
    function adopt(drawing) {
      const wanted = state;
      svg = drawing;
      nodes = new Map([...svg.querySelectorAll("[data-node]")].map((g) => [g.dataset.node, g]));
      edges = new Map([...svg.querySelectorAll("[data-edge]")].map((g) => [g.dataset.edge, g]));
      into = new Map();
      for (const g of edges.values()) {
        const to = g.dataset.consumer;
        if (!into.has(to)) into.set(to, []);
        into.get(to).push(g);
      }
      for (const to of latest.keys()) showGradient(to, undefined);
      for (const item of states) know(item.dataset.made, false);
      for (const g of svg.querySelectorAll(".edge")) g.classList.remove("active", "done");
      for (const g of svg.querySelectorAll(".node")) {
        g.classList.remove("receiving", "giving", "computed");
      }
      afterEdges = svg.querySelector(".frame-title, .node");
      state = 0;
      view.replaceChildren(svg);
      move(wanted);
    }

    // The edges that a step or an operation is about.
    function arrowsOf({ on: edge, made }) {
      return made ? into.get(made) ?? [] : [edges.get(edge)].filter(Boolean);
    }

    function mark(item, on) {
      const { on: edge, to, made } = item.dataset;
      for (const arrow of arrowsOf(item.dataset)) {
        if (on) svg.insertBefore(arrow, afterEdges); // above all other edges
        arrow.classList.toggle("active", on);
      }
      nodes.get(made)?.classList.toggle("computed", on);
      nodes.get(to)?.classList.toggle("receiving", on);
      nodes.get(consumer(edge))?.classList.toggle("giving", on);
      if (on) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }

    function go(wanted) {
      pause();
      move(Math.min(Math.max(wanted, 0), last));
    }

    function move(target) {
      mark(states[state], false);
      while (state < target) {
        const item = states[++state];
        showGradient(item.dataset.to, item);
        know(item.dataset.made, true);
        edges.get(item.dataset.on)?.classList.add("done");
      }
      while (state > target) {
        const item = states[state];
        showGradient(item.dataset.to, before[state--]);
        know(item.dataset.made, false);
        edges.get(item.dataset.on)?.classList.remove("done");
      }
      mark(states[state], true);
      root.dataset.step = state;
      formula.replaceChildren(...[...states[state].childNodes].map((n) => n.cloneNode(true)));
      formula.style.minHeight = `${formula.offsetHeight}px`; // so that the graph stays in place
      counter.textContent = `${state} / ${last}`;
      slider.value = state;
      slider.setAttribute("aria-valuetext", `step ${state} of ${last}`);
      if (state === last) pause();
      enable(buttons.first, state > 0);
      enable(buttons.previous, state > 0);
      enable(buttons.next, state < last);
      enable(buttons.last, state < last);
      follow();
    }

    // A button that is disabled while it has the focus would lose the keys to the notebook.
    function enable(control, on) {
      if (!on && control === document.activeElement) root.focus({ preventScroll: true });
      control.disabled = !on;
    }

    // -- playing ----------------------------------------------------------------------------------

    function toggle() {
      if (timer) return pause();
      if (state === last) go(0);
      timer = setTimeout(advance, PLAY_EVERY);
      face(buttons.play, "pause", "Pause (space)");
    }

    function advance() {
      timer = root.isConnected ? setTimeout(advance, PLAY_EVERY) : 0;
      move(state + 1);
      if ("stop" in states[state].dataset) pause();
    }

    function pause() {
      clearTimeout(timer);
      timer = 0;
      face(buttons.play, "play", "Play (space)");
    }

    function toBreakpoint() {
      const found = states.findIndex((item, k) => k > state && "stop" in item.dataset);
      if (found > 0) go(found);
    }

    // -- what the reader does ---------------------------------------------------------------------

    const keys = {
      ArrowRight: () => go(state + 1),
      ArrowLeft: () => go(state - 1),
      Home: () => go(0),
      End: () => go(last),
      " ": toggle,
      b: toBreakpoint,
    };
    // On a page of its own the stepper has the keys from the start, wherever the focus is.
    (root.matches(".page") ? document : root).addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      event.stopPropagation(); // slides and notebooks have meanings of their own for these keys
      const presses = event.target.matches("button, summary");
      if (!(event.key in keys) || (event.key === " " && presses)) return;
      event.preventDefault();
      keys[event.key]();
    });
    // A notebook takes the focus when a click selects a cell; the keys belong here.
    root.addEventListener("click", () => {
      if (!root.contains(document.activeElement)) root.focus({ preventScroll: true });
    });
    slider.addEventListener("input", () => go(Number(slider.value)));
    list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) go(states.indexOf(item));
    });

    // All digits, where the pointer rests.
    view.addEventListener("pointerover", (event) => {
      const node = event.target.closest("[data-node]");
      if (!node) return;
      const { label, value, grad } = node.dataset;
      const hint = node.querySelector("title")
        ?? node.appendChild(document.createElementNS(SVG, "title"));
      const known = node.matches(".unknown") ? "–" : value;
      hint.textContent = `${label}\ndata ${known}\ngrad ${grad ?? "–"}`;
    });

    // -- the view follows -------------------------------------------------------------------------

    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    let text = 12; // the smallest size in the drawing
    let usual = 1;
    let scale = 1;

    function fit() {
      const wide = view.clientWidth;
      const high = root.matches(".page")
        ? view.clientHeight : parseFloat(getComputedStyle(view).maxHeight);
      const drawing = narrow() && drawings.upright || drawings.wide;
      if (drawing !== svg) adopt(drawing);
      const { width, height } = svg.viewBox.baseVal;
      text = Math.min(...[...svg.querySelectorAll("text")].slice(0, 20)
        .map((each) => parseFloat(getComputedStyle(each).fontSize)));
      const whole = Math.min(wide / width, high / height);
      const least = Math.max(SMALLEST_TEXT, wide * TEXT_PER_WIDTH);
      usual = Math.min(Math.max(whole, least / text), LARGEST_TEXT / text);
      zoom(usual);
      follow(true);
    }

    function narrow() {
      return view.clientWidth < NARROW;
    }

    function zoom(wanted) {
      const { width, height } = svg.viewBox.baseVal;
      scale = wanted;
      svg.setAttribute("width", width * scale);
      svg.setAttribute("height", height * scale);
    }

    // Bring what changes and the edges to it into view, or as much of them as there is room for.
    function follow(atOnce = false) {
      const item = states[state];
      const { to, made } = { ...states[1].dataset, ...item.dataset };
      const arrows = arrowsOf(item.dataset);
      const [receiving, giving, label, ...lines] = [
        nodes.get(item.dataset.made ?? to ?? made), nodes.get(consumer(item.dataset.on)),
        arrows[0]?.querySelector("text"), ...arrows,
      ].map((element) => element?.getBBox());
      const all = around([...lines, receiving, giving]);
      const best = narrow() ? Math.max(Math.min(usual, room(all)), LEAST_ZOOM) : usual;
      if (best !== scale) zoom(best);
      const shown = [all, around([...lines, receiving]), around([label, receiving])]
        .find((box) => room(box) >= scale) ?? around([receiving]);
      view.scrollTo({
        left: place(shown.left * scale, shown.right * scale, view.scrollLeft, view.clientWidth),
        top: place(shown.top * scale, shown.bottom * scale, view.scrollTop, view.clientHeight),
        behavior: atOnce || calm.matches ? "instant" : "smooth",
      });
    }

    function around(boxes) {
      const found = boxes.filter(Boolean);
      return {
        left: Math.min(...found.map((box) => box.x)),
        right: Math.max(...found.map((box) => box.x + box.width)),
        top: Math.min(...found.map((box) => box.y)),
        bottom: Math.max(...found.map((box) => box.y + box.height)),
      };
    }

    // How much a box can be magnified until it fills the view.
    function room(box) {
      return Math.min(
        view.clientWidth / (box.right - box.left + MARGIN),
        view.clientHeight / (box.bottom - box.top + MARGIN),
      );
    }

    // Where to scroll so that an interval is seen: nowhere if it is, else to have it in the middle.
    function place(low, high, now, room) {
      return low >= now && high <= now + room ? now : (low + high - room) / 2;
    }

    let seen = {};
    new ResizeObserver(() => {
      const { clientWidth: wide, clientHeight: high } = view;
      if (wide !== seen.wide) formula.style.minHeight = "";
      if (wide !== seen.wide || (high !== seen.high && root.matches(".page"))) fit();
      seen = { wide, high };
    }).observe(view);

    // -- light and dark ---------------------------------------------------------------------------

    const prefersDark = matchMedia("(prefers-color-scheme: dark)");
    function paint() {
      const lab = document.body.dataset.jpThemeLight;
      const site = document.body.dataset.theme ?? document.documentElement.dataset.theme;
      const dark = lab ? lab === "false"
        : site === "light" || site === "dark" ? site === "dark"
        : document.body.classList.contains("vscode-dark") || prefersDark.matches;
      root.dataset.theme = dark ? "dark" : "light";
    }
    prefersDark.addEventListener("change", paint);
    for (const element of [document.documentElement, document.body]) {
      new MutationObserver(paint).observe(element, {
        attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme", "class"],
      });
    }
    paint();

    adopt(svg);
  }

  // The node that an edge leads to.
  function consumer(edge) {
    return edge?.split("-")[0];
  }

  // -- making elements ----------------------------------------------------------------------------

  // The SVG element of a data URI.
  function inline(uri) {
    if (!uri) return undefined;
    const source = decodeURIComponent(uri.slice(uri.indexOf(",") + 1));
    const parsed = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
    const svg = document.importNode(parsed, true);
    svg.querySelector("title").remove(); // its hint would stand over everything
    return svg;
  }

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function button(icon, label, action) {
    const made = element("button", { type: "button", "data-do": icon });
    face(made, icon, label);
    made.addEventListener("click", (event) => {
      action();
      // After a click by mouse the keys belong to the stepper as a whole.
      if (event.detail > 0) made.closest(".autograd-stepper").focus({ preventScroll: true });
    });
    return made;
  }

  function face(made, icon, label) {
    const drawing = document.createElementNS(SVG, "svg");
    const path = document.createElementNS(SVG, "path");
    drawing.setAttribute("viewBox", "0 0 18 18");
    drawing.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[icon]);
    drawing.append(path);
    made.replaceChildren(drawing);
    made.setAttribute("aria-label", label);
    made.title = label;
  }
})();

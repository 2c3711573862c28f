// Adds to the style sheet: the sentence about what is chosen, threads, numbers, the slider and the sound.
(() => {
  const here = document.currentScript && document.currentScript.closest(".wtl");
  const start = (root) => {
    if (!root || root.classList.contains("js")) return;
    const all = (selector) => [...root.querySelectorAll(selector)];
    const one = (selector) => root.querySelector(selector);
    // The same output may stand on a page twice: each gets a group of its own.
    const group = root.id + "-" + document.querySelectorAll(".wtl.js").length;
    const labels = all(".t"), inputs = all(".t input"), sources = all(".s");
    const says = one(".says"), gold = one(".gold"), table = one(".all"), slider = one(".slider"), audio = one("audio");
    root.classList.add("js");
    const notes = inputs.map((input) => {
      const note = input.title;
      input.removeAttribute("title");
      input.name = group;
      return note;
    });
    // JupyterLab would give the focus to the cell, away from the word that was just clicked on.
    for (const name of ["mousedown", "mouseup", "click"]) root.addEventListener(name, (event) => event.stopPropagation());
    const chosen = () => Math.max(0, inputs.findIndex((input) => input.checked));
    const value = (node) => +getComputedStyle(node).getPropertyValue("--w") || 0;

    let threads = null;
    if (root.classList.contains("words")) {
      threads = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      threads.setAttribute("class", "threads");
      threads.setAttribute("aria-hidden", "true");
      one(".rows").prepend(threads);
    }
    const draw = (index) => {
      if (!threads) return;
      const frame = threads.getBoundingClientRect(), from = labels[index].getBoundingClientRect();
      threads.replaceChildren();
      for (const source of sources) {
        const weight = value(source);
        if (weight >= 0.045) source.dataset.v = weight.toFixed(2).replace(/^0/, "");
        else delete source.dataset.v;
        if (weight < 0.02) continue;
        const to = source.lastElementChild.getBoundingClientRect();
        const x0 = from.left + from.width / 2 - frame.left, y0 = from.top - frame.top;
        const x1 = to.left + to.width / 2 - frame.left, y1 = to.bottom - frame.top, bend = (y0 - y1) / 2;
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("d", `M${x0} ${y0}C${x0} ${y0 - bend} ${x1} ${y1 + bend} ${x1} ${y1}`);
        path.style.strokeWidth = 1 + 6 * weight + "px";
        threads.append(path);
      }
    };

    const show = (index) => {
      root.dataset.on = index;
      const truth = gold && gold.checked && inputs[index].dataset.truth;
      const text = notes[index] + (truth ? " " + truth : "");
      if (says.textContent !== text) says.textContent = text;
      if (slider) {
        slider.value = index + 1;
        slider.setAttribute("aria-valuetext", text);
      }
      draw(index);
    };
    inputs.forEach((input, index) => {
      input.addEventListener("change", () => show(index));
      input.addEventListener("focus", () => show(chosen()));
    });
    // What the pointer is over, asked of the whole page: a browser leaves out "leave" where a redrawn thread lay below it.
    let under = -1;
    const point = (event) => {
      if (event.pointerType === "touch") return;
      const label = event.type === "pointerover" ? labels.findIndex((label) => label.contains(event.target)) : -1;
      if (label !== under) show(label < 0 ? chosen() : label);
      under = label;
    };
    document.addEventListener("pointerover", point);
    document.documentElement.addEventListener("pointerleave", point);
    const choose = (index) => {
      inputs[index].checked = true;
      show(index);
    };
    if (slider) slider.addEventListener("input", () => choose(slider.value - 1));
    const switched = () => {
      root.classList.toggle("with-gold", !!gold && gold.checked);
      root.classList.toggle("with-table", table.checked);
      show(chosen());
    };
    if (gold) gold.addEventListener("change", switched);
    table.addEventListener("change", switched);
    if (threads && window.ResizeObserver) new ResizeObserver(() => draw(+root.dataset.on)).observe(root);

    // The sound under the attention: as loud, from step to step, as the attention is large.
    if (audio) {
      const seconds = +root.dataset.seconds, step = seconds / sources.length, cursor = one(".cursor");
      let end = 0, gains = null;
      const stop = () => {
        audio.pause();
        root.classList.remove("playing");
      };
      const tick = () => {
        if (audio.paused || audio.ended || audio.currentTime >= end) return stop();
        const place = audio.currentTime / step - 0.5, left = Math.max(0, Math.floor(place));
        const gain = (at) => (gains ? gains[Math.min(Math.max(at, 0), gains.length - 1)] : 1);
        const share = Math.min(1, Math.max(0, place - left));
        audio.volume = Math.min(1, Math.max(0, gain(left) * (1 - share) + gain(left + 1) * share));
        cursor.style.left = (100 * audio.currentTime) / seconds + "%";
        requestAnimationFrame(tick);
      };
      const play = (part) => {
        if (!audio.paused) return stop();
        const lit = sources.map(value), most = Math.max(...lit), heard = lit.map((weight) => weight > 0.1 * most);
        if (part && most <= 0) return;
        gains = part ? lit.map((weight) => weight / most) : null;
        audio.currentTime = part ? Math.max(0, heard.indexOf(true) * step - step) : 0;
        end = part ? (heard.lastIndexOf(true) + 2) * step : Infinity;
        root.dataset.from = audio.currentTime.toFixed(2);
        audio.volume = part ? gains[Math.max(0, heard.indexOf(true))] : 1;
        root.classList.add("playing");
        const playing = audio.play();
        if (playing) playing.then(tick, stop);
      };
      one(".part").addEventListener("click", () => play(true));
      one(".whole").addEventListener("click", () => play(false));
    }
    switched();
  };
  if (here) start(here);
  else document.querySelectorAll(".wtl:not(.js)").forEach(start);
})();

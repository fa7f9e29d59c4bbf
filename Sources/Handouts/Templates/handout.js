"use strict";
(() => {
  document.documentElement.classList.add("scripted");
  const source = (id) => document.getElementById(id)?.src ?? "";

  for (const figure of document.querySelectorAll("figure.reel")) {
    const frames = [...figure.querySelectorAll(".stage img")];
    const slider = figure.querySelector("input");
    const button = figure.querySelector("button");
    const label = figure.querySelector("output");
    let timer = 0;
    for (const frame of frames) if (frame.dataset.of) frame.src = source(frame.dataset.of);
    const show = () => {
      frames.forEach((frame, index) => { frame.hidden = index !== slider.valueAsNumber; });
      label.value = frames[slider.valueAsNumber].alt;
      slider.setAttribute("aria-valuetext", label.value);
    };
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      button.textContent = "▶";
      button.setAttribute("aria-label", "Play");
    };
    slider.addEventListener("input", () => { stop(); show(); });
    button.addEventListener("click", () => {
      if (timer) { stop(); return; }
      button.textContent = "❚❚";
      button.setAttribute("aria-label", "Pause");
      if (slider.valueAsNumber === frames.length - 1) slider.value = 0;
      show();
      timer = setInterval(() => {
        slider.value = slider.valueAsNumber + 1;
        show();
        if (slider.valueAsNumber === frames.length - 1) stop();
      }, 400);
    });
    show();
  }

  for (const figure of document.querySelectorAll("figure.compare")) {
    const stage = figure.querySelector(".stage");
    const slider = figure.querySelector("input");
    const [left, right] = figure.querySelectorAll("select");
    const choose = () => {
      stage.querySelector(".over img").src = source(left.value);
      stage.querySelector(".under").src = source(right.value);
    };
    const cut = () => stage.style.setProperty("--cut", `${slider.valueAsNumber / 10}%`);
    const drag = (event) => {
      const box = stage.getBoundingClientRect();
      slider.value = (1000 * (event.clientX - box.left)) / box.width;
      cut();
    };
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      slider.focus({ preventScroll: true });
      drag(event);
      event.preventDefault();
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) drag(event);
    });
    slider.addEventListener("input", cut);
    left.addEventListener("change", choose);
    right.addEventListener("change", choose);
    choose();
    cut();
  }
})();

// The page in a cell of a notebook: anywidget calls `render`. A shadow root keeps the notebook's styles and the page's apart.
import { mount } from "./page.js";

function render({ model, el }) {
  const host = document.createElement("div"), look = document.createElement("style"), page = document.createElement("div");
  host.dataset.lmSuppressShortcuts = "true";  // JupyterLab's own keys rest while the page has the focus
  host.tabIndex = -1;
  look.textContent = model.get("look");
  page.className = "page";
  page.innerHTML = model.get("body");  // Python has escaped every name in it
  host.attachShadow({ mode: "open" }).append(look, page);
  el.append(host);
  const mounted = mount(host.shadowRoot, JSON.parse(model.get("facts")));
  return () => { mounted.close(); host.remove(); };
}

export default { render };

// The search is a worker, and browsers run none from files: there it runs in a frame instead. The theme's script for the search
// knows the name IFrameWorker.
if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      const inside = frame.contentWindow
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      inside.importScripts = (...urls) => Promise.all(urls.map(each => load(inside.document, each)))
      this.loaded = load(inside.document, url)
      this.inside = inside
    }
    postMessage(data) {
      this.loaded.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })))
    }
  }

  function load(page, url) {
    return new Promise((onload, onerror) =>
      page.body.append(Object.assign(page.createElement("script"), { src: url, onload, onerror })))
  }
}

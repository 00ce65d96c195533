/** Puts a page's script and styles into the page itself: one request, and it can paint and ask. */
import type { Plugin } from "vite";

export function inlined(page: string): Plugin {
  return {
    name: "inlined",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const html = bundle[page];
        if (html?.type !== "asset") throw new Error(`there is no ${page}`);
        let text = String(html.source);
        for (const [name, file] of Object.entries(bundle)) {
          const tag = new RegExp(`\\s*<(?:script|link)[^>]*/${name}"[^>]*>(?:</script>)?`);
          if (file.type === "chunk") {
            text = text.replace(tag, "").replace("</body>", () => `${scriptOf(file.code)}</body>`);
          } else if (name.endsWith(".css")) {
            text = text.replace(tag, () => `<style>${String(file.source).trim()}</style>`);
          } else continue;
          delete bundle[name];
        }
        html.source = text;
      },
    },
  };
}

// A string in the code that looks like the end of the script would end it.
const scriptOf = (code: string) =>
  `<script type="module">${code.trim().replaceAll("</script", "<\\/script")}</script>`;

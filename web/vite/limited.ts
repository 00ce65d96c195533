/** Fails the build when the JavaScript of a page has grown beyond its limit, in bytes after gzip. */
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

export function limited(page: string, limit: number): Plugin {
  return {
    name: "limited",
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const bytes = chunks.reduce((sum, chunk) => sum + gzipSync(chunk.code, { level: 9 }).length, 0);
      const found = `${page}: ${bytes} of at most ${limit} bytes of JavaScript, gzipped`;
      if (bytes > limit) this.error(found);
      console.log(found);
    },
  };
}

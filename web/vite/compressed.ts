/** Beside each text of a build its gzip and brotli, so that the server never compresses anything itself. */
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXTS = /\.(html|js|css|svg|webmanifest)$/;

export function compressed(): Plugin {
  return {
    name: "compressed",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (!TEXTS.test(file.fileName)) continue;
          const text = Buffer.from(file.type === "chunk" ? file.code : file.source);
          const gzip = gzipSync(text, { level: 9 });
          const brotli = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
          this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gzip });
          this.emitFile({ type: "asset", fileName: `${file.fileName}.br`, source: brotli });
        }
      },
    },
  };
}

/** First pass: the staff's app. */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { compressed } from "./vite/compressed.ts";
import { limited } from "./vite/limited.ts";
import { OUT } from "./vite/out.ts";

export default defineConfig({
  logLevel: "warn",
  plugins: [svelte(), limited("the staff's app", 80_000), compressed()],
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/dev": "http://127.0.0.1:8000" } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    manifest: true, // worker.config.ts reads from it what must be there without signal
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: { input: "staff.html" },
  },
});

/** Second pass: the customer's page, one file of its own, into which nothing of the staff's app can leak. */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { compressed } from "./vite/compressed.ts";
import { inlined } from "./vite/inlined.ts";
import { limited } from "./vite/limited.ts";
import { OUT } from "./vite/out.ts";

export default defineConfig({
  logLevel: "warn",
  plugins: [svelte(), limited("the customer's page", 20_000), inlined("customer.html"), compressed()],
  publicDir: false,
  build: {
    outDir: OUT,
    emptyOutDir: false,
    target: "es2020", // phones of 2020 and later
    cssTarget: "chrome87",
    modulePreload: { polyfill: false },
    rolldownOptions: { input: "customer.html" },
  },
});

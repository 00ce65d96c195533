/** Third pass: the service worker of the staff's app, told which files the first pass wrote. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Manifest } from "vite";
import { OUT } from "./vite/out.ts";

const manifest: Manifest = JSON.parse(readFileSync(join(OUT, ".vite/manifest.json"), "utf8"));

function filesOf(name: string): string[] {
  const entry = manifest[name];
  if (!entry) throw new Error(`the first pass wrote no ${name}`);
  const { file, css = [], imports = [], dynamicImports = [] } = entry;
  return [file, ...css, ...[...imports, ...dynamicImports].flatMap(filesOf)];
}

const files = [...new Set(filesOf("staff.html"))].map((file) => `/${file}`);
const shell = readFileSync(join(OUT, "staff.html"));
const version = createHash("sha256").update(shell).digest("hex").slice(0, 16);

export default defineConfig({
  define: {
    __FILES__: JSON.stringify([...files, "/manifest.webmanifest", "/icons/icon-192.png"]),
    __VERSION__: JSON.stringify(version),
  },
  logLevel: "warn",
  publicDir: false,
  build: {
    outDir: OUT,
    emptyOutDir: false,
    target: "es2022",
    rolldownOptions: { input: "src/worker.ts", output: { format: "iife", entryFileNames: "worker.js" } },
  },
});

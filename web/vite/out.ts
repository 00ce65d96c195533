/** Where the build goes: into the Python package, which serves it. */
import { fileURLToPath } from "node:url";

export const OUT = fileURLToPath(new URL("../../src/jobthread/web", import.meta.url));

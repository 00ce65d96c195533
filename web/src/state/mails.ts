/** The mails that came in, for admins. */
import type { IncomingMail } from "../shapes";
import { Pages } from "./pages.svelte";

export const mails = new Pages<IncomingMail>("/api/incoming-mails", "mails");

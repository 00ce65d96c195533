/** The staff's app begins here. */
import { mount } from "svelte";
import Staff from "./Staff.svelte";
import "./ui/base.css";
import "./ui/staff.css";

mount(Staff, { target: document.body });

// Without it the app still works, save that it does not open without signal.
navigator.serviceWorker?.register("/worker.js").catch(() => {});

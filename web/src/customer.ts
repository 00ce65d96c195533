/** The customer's page begins here. */
import { page } from "./customer/page";
import type { Opening } from "./state/entrance";
import { Visit } from "./state/visit";
import "./ui/base.css";
import "./customer/customer.css";

declare global {
  interface Window {
    opening: Opening;
  }
}

const visit = new Visit(window.opening);
visit.changed = page(visit);
visit.start();

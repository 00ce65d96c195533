/** What only the customer's page says. */
import { language } from "./language";

const en = {
  yourMessages: "Your messages",
};

const es: typeof en = {
  yourMessages: "Sus mensajes",
};

export const words = { en, es }[language];

/** What is said where staff are chosen and where their accounts are kept. */
import { language } from "./language";

const en = {
  people: "People",
  find: "Search people",
  matches: (count: number) => (count === 1 ? "1 person" : `${count} people`),
  none: "Nobody by that name",
  missing: "The list of colleagues cannot be loaded without a connection.",
  takeOut: (name: string) => `Remove ${name}`,
  you: "you",
  chosen: "Chosen",
};

const es: typeof en = {
  people: "Personas",
  find: "Buscar personas",
  matches: (count) => (count === 1 ? "1 persona" : `${count} personas`),
  none: "Nadie con ese nombre",
  missing: "Sin conexión no se puede cargar la lista de compañeros.",
  takeOut: (name) => `Quitar a ${name}`,
  you: "usted",
  chosen: "Elegidas",
};

export const people = { en, es }[language];

/** What is said of jobs, their customers and the links to them. */
import { language } from "./language";

const en = {
  job: "Job",
  findJob: "Reference, title or customer",
  closed: "Closed",
  chooseOther: "Choose another",
  noJobs: "No job is found",
  found: (count: number) => (count === 1 ? "1 found" : `${count} found`),
  searchFailed: "Searching needs a connection to the server.",
  needed: "Please choose one",
};

const es: typeof en = {
  job: "Trabajo",
  findJob: "Referencia, título o cliente",
  closed: "Cerrado",
  chooseOther: "Elegir otro",
  noJobs: "No se encontró ningún trabajo",
  found: (count) => (count === 1 ? "1 encontrado" : `${count} encontrados`),
  searchFailed: "Para buscar hace falta conexión con el servidor.",
  needed: "Elija uno",
};

export const jobs = { en, es }[language];

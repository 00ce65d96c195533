/** What a form says when it was not taken. */
import { language } from "./language";

const en = {
  noSignal: "There is no connection to the server. Everything you typed is still here: try again.",
  perhaps:
    "No answer came, so it is not certain whether this was done. Have a look before you try again. Everything you typed is still here.",
  tooMany: "That was too often in a short time. Please wait a few minutes.",
  forbidden: "Your role may not do this.",
  gone: "This no longer exists, or is not for you to see.",
  ended: "You have been signed out. Sign in again to go on.",
  refused: "The server does not accept this.",
  optional: "optional",
  empty: "Please fill this in",
  atLeast: (count: string) => `At least ${count} characters`,
  atMost: (count: string) => `At most ${count} characters`,
  control: "This holds characters that cannot be stored",
  email: "This is not an e-mail address",
  phone: "This is not a telephone number",
  years: "Please choose a day between the years 2000 and 2999",
  colleague: "One of these people can no longer be chosen",
};

const es: typeof en = {
  noSignal: "No hay conexión con el servidor. Lo que ha escrito sigue aquí: inténtelo de nuevo.",
  perhaps:
    "No llegó respuesta: no es seguro si se ha hecho. Compruébelo antes de repetirlo. Lo que ha escrito sigue aquí.",
  tooMany: "Demasiadas veces en poco tiempo. Espere unos minutos.",
  forbidden: "Su función no permite hacer esto.",
  gone: "Esto ya no existe, o usted no puede verlo.",
  ended: "Su sesión ha terminado. Entre de nuevo para continuar.",
  refused: "El servidor no acepta esto.",
  optional: "opcional",
  empty: "Rellene este campo",
  atLeast: (count) => `Al menos ${count} caracteres`,
  atMost: (count) => `Como máximo ${count} caracteres`,
  control: "Contiene caracteres que no se pueden guardar",
  email: "Esto no es una dirección de correo",
  phone: "Esto no es un número de teléfono",
  years: "Elija un día entre los años 2000 y 2999",
  colleague: "Una de estas personas ya no se puede elegir",
};

export const forms = { en, es }[language];

// The server says in English what is wrong with a field.
const MISTAKES: [RegExp, (count: string) => string][] = [
  [/^is empty|length >= 1$|^is needed/, () => forms.empty],
  [/length >= (\d+)/, forms.atLeast],
  [/^is longer than (\d+)|length <= (\d+)/, forms.atMost],
  [/control characters/, () => forms.control],
  [/e-mail address$/, () => forms.email],
  [/telephone number$/, () => forms.phone],
  [/between the years/, () => forms.years],
  [/colleague/, () => forms.colleague],
];

export function mistakeOf(message: string): string {
  for (const [pattern, words] of MISTAKES) {
    const found = pattern.exec(message);
    if (found) return words(found.slice(1).find(Boolean) ?? "");
  }
  return forms.refused;
}

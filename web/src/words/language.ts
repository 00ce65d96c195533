/** The language of this browser's owner: chosen by them, else the browser's, else English. */

export const LANGUAGES = { en: "English", es: "Español" } as const;
export type Language = keyof typeof LANGUAGES;

export const language: Language = chosen() ?? preferred();

document.documentElement.lang = language;

/** The page begins anew in it: every word and date on it changes. */
export function chooseLanguage(wanted: Language) {
  try {
    localStorage.setItem("language", wanted);
  } catch {
    return; // storage is forbidden here: the page would come back as it was
  }
  location.reload();
}

function chosen(): Language | undefined {
  try {
    return known(localStorage.getItem("language") ?? "");
  } catch {
    return undefined; // storage is forbidden here
  }
}

function preferred(): Language {
  for (const wanted of navigator.languages) {
    const found = known(wanted.split("-")[0]!);
    if (found) return found;
  }
  return "en";
}

// A declaration, since it is called above at once.
function known(name: string): Language | undefined {
  return name in LANGUAGES ? (name as Language) : undefined;
}

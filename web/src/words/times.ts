/** Dates and times as people say them: by their language, in their own zone. */
import { language } from "./language";

// The browser's own variant where it speaks that language: 24 hours in Dublin, 12 in Denver.
const locale = navigator.languages.find((name) => name.startsWith(language)) ?? language;

const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
const whole = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const withYear = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
const short = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const numeric = new Intl.DateTimeFormat(locale, { dateStyle: "short" });
const coming = new Intl.DateTimeFormat(locale, {
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

type Moment = string | number;

export const timeOf = (at: Moment) => clock.format(new Date(at));
export const momentOf = (at: Moment) => whole.format(new Date(at));

/** `Mon 08:00`: within the days to come. */
export const dayAndTimeOf = (at: Moment) => coming.format(new Date(at));

/** `25 min`, `3 hr`, `2 days`: no more exact than it matters. */
export function lasted(ms: number): string {
  const minutes = Math.max(1, Math.floor(ms / 60_000));
  if (minutes < 60) return amount("minute").format(minutes);
  if (minutes < 48 * 60) {
    const hours = amount("hour").format(Math.floor(minutes / 60));
    return minutes < 6 * 60 && minutes % 60 ? `${hours} ${amount("minute").format(minutes % 60)}` : hours;
  }
  return amount("day").format(Math.floor(minutes / 1_440));
}

const amount = (unit: string) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" });

/** `2026-11-3`, in the viewer's zone: two messages of one day have the same. */
export function dayOf(at: Moment): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** The day of a message, above its first: today, yesterday, or which. */
export function dayName(at: Moment): string {
  const days = daysAgo(at);
  if (days < 2) return capital(relative.format(-days, "day"));
  return (isThisYear(at) ? weekday : withYear).format(new Date(at));
}

/** When something last happened, in a narrow list: a time today, else a day. */
export function whenShort(at: Moment): string {
  if (daysAgo(at) === 0) return timeOf(at);
  return (isThisYear(at) ? short : numeric).format(new Date(at));
}

function daysAgo(at: Moment): number {
  const midnight = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((midnight(new Date()) - midnight(new Date(at))) / 86_400_000);
}

const isThisYear = (at: Moment) => new Date(at).getFullYear() === new Date().getFullYear();
const capital = (text: string) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);

/** Where the keyboard goes on when what had it is gone. */
import { tick } from "svelte";
import { router } from "../router.svelte";

/** Nothing that can be seen has the keyboard. */
export function isLost(): boolean {
  const at = document.activeElement;
  return !at || at === document.body || !at.getClientRects().length;
}

/** To the button that lost the keyboard while it was busy, and that may have been pushed out of sight. */
export function backTo(pressed: Element | null) {
  if (!(pressed instanceof HTMLElement)) return;
  if (isLost()) pressed.focus();
  if (document.activeElement === pressed) pressed.scrollIntoView({ block: "nearest" });
}

/** As an attachment: what one goes on with has appeared in place of what one pressed. */
export const goesOn = (element: HTMLElement) => element.focus({ preventScroll: true });

/** As an attachment: the name of a screen that one has come to, where nothing else has the keyboard. */
export function arrived(heading: HTMLElement) {
  if (router.moved) void tick().then(() => isLost() && land(heading));
}

/** Go on at what is not to be typed into or pressed, as a heading. */
export function land(element: HTMLElement | null | undefined) {
  if (!element) return;
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

/** The little that this page needs to make elements and to keep a list of them: a framework would be most of it. */

type Value = string | number | boolean | ((event: Event) => void) | undefined;
type Child = Node | string | null | false | undefined;

/** Handlers stand under names like `onclick`; an attribute that is false or undefined is not there. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...(children.filter(Boolean) as (Node | string)[]));
  return element;
}

/** Only what differs is touched: a screen reader says again whatever is set again. */
export function say(element: HTMLElement, text: string) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Keeps the children of an element as `items` want them: by `key`, in their order, each made again only where
 * something about it has changed.
 */
export function listIn<Item>(
  parent: HTMLElement,
  key: (item: Item) => string,
  draw: (item: Item) => HTMLElement,
) {
  let drawn = new Map<string, { as: string; element: HTMLElement }>();
  return (items: Item[]) => {
    const before = drawn;
    drawn = new Map();
    let next = parent.firstChild;
    for (const item of items) {
      const as = JSON.stringify(item);
      const old = before.get(key(item));
      const element = old?.as === as ? old.element : draw(item);
      if (old && old.element !== element) {
        const focused = old.element.contains(document.activeElement);
        if (old.element === next) next = element;
        old.element.replaceWith(element);
        if (focused) element.querySelector("button")?.focus();
      }
      if (element === next) next = element.nextSibling;
      else parent.insertBefore(element, next);
      before.delete(key(item));
      drawn.set(key(item), { as, element });
    }
    before.forEach(({ element }) => element.remove());
  };
}

"""Hands on the keys alone: where one is, and how one gets from there to elsewhere."""

from playwright.sync_api import Locator, Page, expect

FAR = 60

# Of what has the keyboard: what is wrong with how it shows that, if anything.
HIDDEN = """() => {
  const at = document.activeElement;
  if (at === document.body) return null;
  const { left, right, top, bottom, width, height } = at.getBoundingClientRect();
  const says = at.ariaLabel ?? (at.textContent || at.type);
  const name = `${at.tagName.toLowerCase()} “${says.trim().slice(0, 40)}”`;
  const rings = [at, at.nextElementSibling].map((one) => one && getComputedStyle(one));
  if (!rings.some((style) => style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2))
    return `${name} does not show that it has the keyboard`;
  const x = Math.min(Math.max((left + right) / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max((top + bottom) / 2, 0), innerHeight - 1);
  if (bottom < 0 || top > innerHeight || right < 0 || left > innerWidth || !width || !height)
    return `${name} has the keyboard and is out of sight`;
  const above = document.elementFromPoint(x, y);
  const near = [at, at.parentElement];
  if (!near.some((one) => one.contains(above)) && !above?.contains(at)) return `${name} is covered`;
  return null;
}"""


def is_at(where: Locator) -> None:
    """The keyboard is there, and one sees it."""
    expect(where).to_be_focused()
    is_seen(where.page)


def is_seen(page: Page) -> None:
    fault = page.evaluate(HIDDEN)
    assert fault is None, fault


def tab_to(where: Locator, key: str = "Tab") -> None:
    """By Tab from here, one sees at each step where one is."""
    page = where.page
    expect(where).to_be_visible()
    for _ in range(FAR):
        page.keyboard.press(key)
        is_seen(page)
        if where.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"{key} does not lead to {where}")


def press(where: Locator) -> None:
    """Go there by Tab and press it."""
    tab_to(where)
    where.page.keyboard.press("Enter")


def press_back(where: Locator) -> None:
    """The same, the other way round."""
    tab_to(where, "Shift+Tab")
    where.page.keyboard.press("Enter")

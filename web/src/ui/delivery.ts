/** How the states of a delivery look, by icon and word and not by colour alone. */
export const LOOKS = {
  queued: { icon: "clock", tone: "plain" },
  sending: { icon: "clock", tone: "plain" },
  sent: { icon: "done", tone: "good" },
  delivered: { icon: "done", tone: "good" },
  failed: { icon: "warning", tone: "danger" },
  cancelled: { icon: "done", tone: "plain" },
} as const;

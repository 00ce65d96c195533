/** What one can change about a thread; each change is on the screen once the server has made it. */
import { get, post, remove } from "../api";
import type { Thread } from "../shapes";
import { inbox } from "../state/inbox.svelte";

export async function setStatus(id: number, change: "close" | "reopen") {
  inbox.became(await post<Thread>(`/api/chat/threads/${id}/${change}`));
}

/** A customer waits here: whoever says so answers. */
export async function claim(id: number) {
  inbox.became(await post<Thread>(`/api/chat/threads/${id}/claim`));
}

export async function giveBack(id: number) {
  await remove(`/api/chat/threads/${id}/claim`);
  inbox.became(await get<Thread>(`/api/chat/threads/${id}`));
}

export async function addPeople(id: number, user_ids: number[]) {
  inbox.became(await post<Thread>(`/api/chat/threads/${id}/participants`, { user_ids }));
}

export async function removePerson(id: number, user: number) {
  await remove(`/api/chat/threads/${id}/participants/${user}`);
  inbox.became(await get<Thread>(`/api/chat/threads/${id}`));
}

/** The office still finds a thread that it has left; a technician does not. */
export async function leave(id: number, user: number, office: boolean) {
  await remove(`/api/chat/threads/${id}/participants/${user}`);
  if (office) inbox.became(await get<Thread>(`/api/chat/threads/${id}`));
  else inbox.lost(id);
}

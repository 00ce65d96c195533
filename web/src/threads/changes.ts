/** What one can change about a thread; each change is on the screen once the server has made it. */
import { get, post, remove } from "../api";
import type { Thread } from "../shapes";
import { inbox } from "../state/inbox.svelte";

export async function setStatus(id: number, change: "close" | "reopen") {
  inbox.became(await post<Thread>(`/api/chat/threads/${id}/${change}`));
}

export async function addPeople(id: number, user_ids: number[]) {
  inbox.became(await post<Thread>(`/api/chat/threads/${id}/participants`, { user_ids }));
}

export async function removePerson(id: number, user: number) {
  await remove(`/api/chat/threads/${id}/participants/${user}`);
  inbox.became(await get<Thread>(`/api/chat/threads/${id}`));
}

export async function leave(id: number, user: number) {
  await remove(`/api/chat/threads/${id}/participants/${user}`);
  await inbox.look();
}

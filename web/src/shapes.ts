/** The names of what goes over the wire, out of the server's own description. */
import type { components } from "./api.gen";

type Schemas = components["schemas"];

export type User = Schemas["User"];
export type About = Schemas["About"];
export type Role = User["role"];
export type Person = Schemas["Person"];
export type Thread = Schemas["Thread"];
export type Visibility = Thread["visibility"];
export type Message = Schemas["Message"];
export type ReadBy = Schemas["ReadBy"];
export type Messages = Schemas["Messages"];
export type Threads = Schemas["Threads"];
export type Job = Schemas["Job"];
export type JobRef = Schemas["JobRef"];
export type Customer = Schemas["Customer"];
export type Link = Schemas["Link"];
export type Links = Schemas["Links"];
export type IssuedLink = Schemas["IssuedLink"];
export type Delivery = Schemas["Delivery"];
export type ThreadDelivery = Schemas["ThreadDelivery"];
export type Deliveries = Schemas["Deliveries"];
export type AnyDelivery = Schemas["AnyDelivery"];
export type IncomingMail = Schemas["IncomingMail"];
export type Preferences = Schemas["Preferences"];
export type AuditEntry = Schemas["AuditEntry"];

export type CustomerMessage = Schemas["CustomerMessage"];
export type CustomerThread = Schemas["CustomerThread"];
export type CustomerView = Schemas["CustomerView"];
export type OpenedLink = Schemas["OpenedLink"];

/** What the server tells on a stream. The database is the truth: whoever missed something asks for it. */
export type Happening<M, T> =
  | { name: "message.created"; data: { thread_id: number; message: M } }
  | { name: "thread.created" | "thread.updated"; data: { thread: T } }
  | { name: "thread.removed"; data: { thread_id: number } }
  | {
      name: "read";
      data: { thread_id: number; kind: ReadBy["kind"]; user_id: number; last_read_seq: number };
    }
  | { name: "unread"; data: { unread_count: number } }
  | { name: "typing"; data: { thread_id: number; name: string } }
  | { name: "resync"; data: object };

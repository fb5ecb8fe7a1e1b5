import { z } from "zod";

/** What can be said before asking the server, which also knows which passwords are common. */
export const NewPassword = z
  .string()
  .min(10, "Use at least 10 characters")
  .max(128, "Use at most 128 characters");

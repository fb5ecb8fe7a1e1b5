/** The API's shapes by the names this house uses; all but the problem come from the contracts. */
import type { components as catalog } from "@/lib/api/schema/catalog";
import type { components as checkout } from "@/lib/api/schema/checkout";
import type { components as users } from "@/lib/api/schema/users";

export type Money = checkout["schemas"]["Money"];

export type ProductSummary = catalog["schemas"]["Card"];
export type ProductPage = catalog["schemas"]["ProductPage"];
export type PriceBucket = catalog["schemas"]["PriceCount"];
export type Product = catalog["schemas"]["ProductDetail"];
export type Variant = catalog["schemas"]["Variant"];
export type Suggestion = catalog["schemas"]["Suggestion"];
export type Category = catalog["schemas"]["CategoryNode"];
export type Sort = catalog["schemas"]["Sort"];

export type User = users["schemas"]["Profile"];
export type Session = users["schemas"]["Session"];
export type Credentials = users["schemas"]["Credentials"];
export type NewAccount = users["schemas"]["Registration"];
export type Address = users["schemas"]["Address"];
export type SavedAddress = users["schemas"]["AddressWithId"];
export type PasswordChange = users["schemas"]["PasswordChange"];
export type PasswordReset = users["schemas"]["PasswordReset"];
export type SignIn = users["schemas"]["SessionView"];
export type Letter = users["schemas"]["LetterView"];

export type Cart = checkout["schemas"]["CartView"];
export type CartLine = checkout["schemas"]["CartItem"];
export type Promotion = NonNullable<Cart["promotion"]>;
export type Quote = checkout["schemas"]["CartQuote"];
export type ShippingMethod = checkout["schemas"]["ShippingMethod"];
export type NewOrder = checkout["schemas"]["PlaceOrder"];
export type PlacedOrder = checkout["schemas"]["PlacedOrder"];
export type OrderStatus = checkout["schemas"]["OrderStatus"];
export type Order = checkout["schemas"]["OrderView"];

/** A line of a 409 out-of-stock. */
export interface ShortLine {
  sku: string;
  requested: number;
  available: number;
}

/** RFC 9457, with the extensions the shop names; what a proxy answers may lack most of it. */
export interface ProblemBody extends Partial<checkout["schemas"]["Problem"]> {
  type: string;
  title: string;
  status: number;
  lines?: ShortLine[];
  /** Of promotion-ended: the code. */
  code?: string;
}

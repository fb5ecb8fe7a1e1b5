/** The API's shapes as agreed in the contracts; every component takes its types from here. */
import type { Money } from "@/lib/format-money";

export type { Money };

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface ProductSummary {
  product_id: string;
  title: string;
  price: Money;
  image_url: string | null;
  rating: number | null;
  review_count: number;
  in_stock: boolean;
  category: string[];
}

export interface PriceBucket {
  value: string;
  from_minor: number;
  to_minor: number | null;
  count: number;
}

export interface ProductPage extends Page<ProductSummary> {
  facets: {
    category: { value: string; count: number }[];
    price: PriceBucket[];
    in_stock: { value: boolean; count: number }[];
  };
  total: number;
  took_ms: number;
}

export interface Variant {
  sku: string;
  options: Record<string, string>;
  price: Money;
  available: number;
}

export interface Product extends ProductSummary {
  description: string;
  images: string[];
  brand: string | null;
  featured: boolean;
  variants: Variant[];
  version: number;
}

export interface Suggestion {
  text: string;
  kind: "product" | "category";
  product_id?: string | null;
}

export interface Category {
  value: string;
  name: string;
  count: number;
  children: Category[];
}

export interface User {
  user_id: string;
  email: string;
  name: string;
  role: string;
}

export interface Session {
  access_token: string;
  token_type: string;
  expires_in: number;
  user: User;
}

export interface Address {
  name: string;
  line1: string;
  line2?: string | null;
  city: string;
  postal_code: string;
  country: string;
}

export interface SavedAddress extends Address {
  address_id: string;
}

export interface CartLine {
  sku: string;
  product_id: string;
  title: string;
  image_url: string | null;
  options: Record<string, string>;
  quantity: number;
  unit_price: Money;
  line_total: Money;
  available: number;
  price_changed: boolean;
}

export type ShippingMethod = "standard" | "express";

export interface Quote {
  subtotal: Money;
  shipping: Money;
  tax: Money;
  total: Money;
  currency: string;
  shipping_method: ShippingMethod;
  country: string;
}

export interface Cart {
  items: CartLine[];
  quote: Quote;
  item_count: number;
  next_cursor: null;
}

export interface NewOrder {
  email?: string;
  shipping_address: Address;
  shipping_method: ShippingMethod;
  payment: { card_token: string };
  expected_total?: Money;
}

export type OrderStatus =
  | "placed"
  | "paid"
  | "packed"
  | "shipped"
  | "delivered"
  | "payment_failed"
  | "cancelled"
  | "refunded";

export interface OrderSummary {
  order_id: string;
  order_number: string;
  status: OrderStatus;
  placed_at: string;
  total: Money;
  item_count: number;
}

export interface OrderLine {
  line_no: number;
  sku: string;
  product_id: string;
  title: string;
  options: Record<string, string>;
  image_url: string | null;
  quantity: number;
  unit_price: Money;
  line_total: Money;
}

export interface Order extends Omit<OrderSummary, "item_count"> {
  email?: string | null;
  lines: OrderLine[];
  subtotal: Money;
  shipping: Money;
  tax: Money;
  shipping_address: Address;
  shipping_method: ShippingMethod;
  payment: { status: string; failure_code: string | null };
  timeline: { status: OrderStatus; at: string; note: string | null }[];
  version: number;
  can_cancel: boolean;
}

export interface ShortLine {
  sku: string;
  requested: number;
  available: number;
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail?: string | null;
  instance?: string | null;
  errors?: { field: string; message: string }[];
  correlation_id?: string | null;
  lines?: ShortLine[];
}

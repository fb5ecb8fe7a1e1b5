import type {
  Cart, CartLine, Category, Letter, Money, Order, OrderStatus, Product, ProductPage, Promotion, Session,
  SignIn, User, Variant,
} from "@/lib/api/types";

export const gbp = (amount_minor: number): Money => ({ amount_minor, currency: "GBP" });

export function aVariant(colour: string, size: string, available = 20, price = 4999): Variant {
  return { sku: `sku-${colour}-${size}`, options: { colour, size }, price: gbp(price), available };
}

export function aProduct(over: Partial<Product> = {}): Product {
  return {
    product_id: "p-1",
    title: "Summit Jacket",
    description: "A light jacket. Why you'll reach for it It keeps the wind out.",
    category: ["Clothing", "Coats & Jackets"],
    price: gbp(4999),
    images: [],
    image_url: null,
    rating: 4.6,
    review_count: 12,
    in_stock: true,
    brand: null,
    featured: false,
    status: "active",
    variants: [
      aVariant("black", "S", 0),
      aVariant("black", "M", 3),
      aVariant("navy", "S", 8, 5499),
      aVariant("navy", "M", 0),
    ],
    version: 1,
    ...over,
  };
}

export function aProductPage(): ProductPage {
  const { product_id, title, price, image_url, rating, review_count, in_stock, category } = aProduct();
  return {
    items: [{ product_id, title, price, image_url, rating, review_count, in_stock, category }],
    facets: {
      category: [{ value: "Clothing", count: 1 }],
      price: [{ value: "2501-5000", from_minor: 2501, to_minor: 5000, count: 1 }],
      in_stock: 1,
      options: [{ name: "colour", values: [{ value: "black", count: 1 }] }],
    },
    suggestions: [],
    total: 1,
    next_cursor: null,
    took_ms: 1,
  };
}

export const CATEGORIES: Category[] = [
  { value: "Clothing", name: "Clothing", count: 3, children: [] },
  { value: "Outdoor", name: "Outdoor", count: 2, children: [] },
];

export function aCartLine(over: Partial<CartLine> = {}): CartLine {
  const line = {
    sku: "sku-black-M",
    product_id: "p-1",
    title: "Summit Jacket",
    image_url: null,
    options: { colour: "black", size: "M" },
    quantity: 1,
    unit_price: gbp(4999),
    available: 10,
    price_changed: false,
    ...over,
  };
  return { ...line, line_total: gbp(line.unit_price.amount_minor * line.quantity) };
}

export function aCart(lines: Partial<CartLine>[] = [{}]): Cart {
  const items = lines.map(aCartLine);
  const subtotal = items.reduce((sum, line) => sum + line.line_total.amount_minor, 0);
  return {
    items,
    saved: [],
    promotion: null,
    quote: {
      subtotal: gbp(subtotal),
      discount: gbp(0),
      shipping: gbp(395),
      tax: gbp(0),
      total: gbp(subtotal + 395),
      currency: "GBP",
      shipping_method: "standard",
      country: "GB",
    },
    item_count: items.reduce((sum, line) => sum + line.quantity, 0),
    next_cursor: null,
  };
}

/** The cart with a code that takes ten pounds off. */
export function withPromotion(cart: Cart, code: string, over: Partial<Promotion> = {}): Cart {
  const { quote } = cart;
  const total = gbp(quote.total.amount_minor - 1000);
  const promotion: Promotion = {
    code, kind: "amount", percent: null, amount: gbp(1000), minimum_subtotal: null, state: "applied",
    detail: null, ...over,
  };
  return promotion.state === "applied"
    ? { ...cart, promotion, quote: { ...quote, discount: gbp(1000), total } }
    : { ...cart, promotion };
}

export function anOrder(over: Partial<Order> = {}): Order {
  const statuses: OrderStatus[] = ["placed", "paid"];
  return {
    order_id: "o-1",
    number: "HA-7K3M-92QX-4D8C",
    status: "paid",
    placed_at: "2026-03-01T10:00:00Z",
    email: null,
    total: gbp(5394),
    lines: [{ line_no: 1, ...aCartLine() }],
    subtotal: gbp(4999),
    discount: gbp(0),
    shipping: gbp(395),
    tax: gbp(0),
    shipping_address: { name: "Ada", line1: "1 Hill Road", line2: null, city: "Leeds", postal_code: "LS1 1AA", country: "GB" },
    shipping_method: "standard",
    promotion_code: null,
    refunds: [],
    refunded: gbp(0),
    payment: { status: "captured", failure_code: null },
    timeline: statuses.map((status, index) => ({ status, at: `2026-03-01T10:0${String(index)}:00Z`, note: null })),
    version: 2,
    can_cancel: true,
    ...over,
  };
}

export function aUser(over: Partial<User> = {}): User {
  return {
    user_id: "u-1",
    email: "ada@example.com",
    name: "Ada",
    role: "shopper",
    email_verified: true,
    ...over,
  };
}

export function aSession(access_token = "token", user: Partial<User> = {}): Session {
  return { access_token, token_type: "Bearer", expires_in: 900, user: aUser(user) };
}

export function aSignIn(over: Partial<SignIn> = {}): SignIn {
  return {
    session_id: "s-1",
    device: "Firefox on Linux",
    started_at: "2026-03-01T10:00:00Z",
    ends_at: "2026-03-31T10:00:00Z",
    is_current: true,
    ...over,
  };
}

export function aLetter(over: Partial<Letter> = {}): Letter {
  return {
    letter_id: "l-1",
    sent_at: "2026-03-01T10:00:00Z",
    to: "ada@example.com",
    subject: "Choose a new password",
    text: "Hello Ada,\n\nthe link is good once.",
    action: "Choose a new password",
    link: "http://127.0.0.1:8080/reset-password#c0de",
    ...over,
  };
}

import { createBrowserRouter } from "react-router";

import { ErrorPage } from "@/app/error-page";
import { Shell } from "@/app/layout/shell";
import { HomePage } from "@/app/pages/home-page";
import { NotFound } from "@/app/pages/not-found-page";
import { ProductPage } from "@/app/pages/product-page";
import { ProductsPage } from "@/app/pages/products-page";

/** Browsing is in the first bundle; what only some visits need comes when it is asked for. */
export const routes = [
  {
    element: <Shell />,
    errorElement: <ErrorPage />,
    hydrateFallbackElement: <></>,
    children: [
      {
        errorElement: <ErrorPage />,
        children: [
          { index: true, element: <HomePage /> },
          { path: "products", element: <ProductsPage /> },
          { path: "products/:productId", element: <ProductPage /> },
          { path: "cart", lazy: async () => ({ Component: (await import("@/app/pages/cart-page")).CartPage }) },
          { path: "checkout", lazy: async () => ({ Component: (await import("@/app/pages/checkout-page")).CheckoutPage }) },
          { path: "orders", lazy: async () => ({ Component: (await import("@/app/pages/orders-page")).OrdersPage }) },
          { path: "orders/:orderId", lazy: async () => ({ Component: (await import("@/app/pages/order-page")).OrderPage }) },
          { path: "sign-in", lazy: async () => ({ Component: (await import("@/app/pages/sign-in-page")).SignInPage }) },
          { path: "sign-up", lazy: async () => ({ Component: (await import("@/app/pages/sign-up-page")).SignUpPage }) },
          { path: "forgot-password", lazy: async () => ({ Component: (await import("@/app/pages/forgot-password-page")).ForgotPasswordPage }) },
          { path: "reset-password", lazy: async () => ({ Component: (await import("@/app/pages/reset-password-page")).ResetPasswordPage }) },
          { path: "verify", lazy: async () => ({ Component: (await import("@/app/pages/verify-page")).VerifyPage }) },
          { path: "mailbox", lazy: async () => ({ Component: (await import("@/app/pages/mailbox-page")).MailboxPage }) },
          { path: "account", lazy: async () => ({ Component: (await import("@/app/pages/account-page")).AccountPage }) },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];

export const buildRouter = () => createBrowserRouter(routes);

//! The code points of the MIKEY payload registry, and those that 3GPP asks for without a number.
//!
//! Each registry is an enum with `Unknown` for values that have no name here, so that what a peer
//! sent survives. Convert from the number with `From`; `Unknown` made by hand with a number that
//! has a name writes the same octet and reads back under that name.

mod algorithm;
mod message;
mod policy;
mod role;
mod three_gpp;

pub use algorithm::{
    DhGroup, EccCurve, EncrAlg, EnvelopeKeyCache, HashFunc, MacAlg, PrfFunc, SType, SakkeIdScheme,
    SakkeParams,
};
pub use message::{
    CsIdMapType, DataType, ErrorNo, GeneralExtensionType, KeyIdType, OmaBcastSubtype, PayloadType,
};
pub use policy::{
    FecOrder, ProtType, SrtpAuthAlg, SrtpEncrAlg, SrtpParamType, SrtpPrf, TeslaParamType,
};
pub use role::{
    CertType, IdRole, IdType, KeyDataType, KvType, RandRole, SkType, TicketType, TsRole, TsType,
};
pub use three_gpp::ThreeGppCodePoints;

/// Writes a registry as an enum with `Unknown`, its conversions and the names of its values.
macro_rules! registry {
    (
        $(#[$meta:meta])*
        $name:ident: $int:ty {
            $first:ident = $first_value:literal, $first_text:literal;
            $( $variant:ident = $value:literal, $text:literal; )*
        }
    ) => {
        $(#[$meta])*
        ///
        /// ```
        #[doc = concat!("use mikey::code_points::", stringify!($name), ";")]
        ///
        #[doc = concat!(
            "assert_eq!(", stringify!($name), "::from(", stringify!($first_value), "), ",
            stringify!($name), "::", stringify!($first), ");"
        )]
        #[doc = concat!("assert_eq!(", stringify!($name), "::from(240).name(), \"unknown\");")]
        /// ```
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            #[doc = concat!($first_text, " (", stringify!($first_value), ").")]
            $first,
            $( #[doc = concat!($text, " (", stringify!($value), ").")] $variant, )*
            /// A value without a name here.
            Unknown($int),
        }

        impl $name {
            /// The name in the registry; `unknown` for a value without one.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $( Self::$variant => $text, )*
                    Self::Unknown(_) => "unknown",
                }
            }
        }

        impl From<$int> for $name {
            fn from(value: $int) -> Self {
                match value {
                    $first_value => Self::$first,
                    $( $value => Self::$variant, )*
                    unknown => Self::Unknown(unknown),
                }
            }
        }

        impl From<$name> for $int {
            fn from(value: $name) -> Self {
                match value {
                    $name::$first => $first_value,
                    $( $name::$variant => $value, )*
                    $name::Unknown(unknown) => unknown,
                }
            }
        }
    };
}

use registry;

#[cfg(test)]
mod tests {
    use super::*;

    /// Self-consistency: every octet survives its enum.
    #[test]
    fn every_octet_survives_every_registry() {
        macro_rules! check {
            ($($name:ident)+) => {
                for octet in 0..=u8::MAX {
                    $( assert_eq!(u8::from($name::from(octet)), octet, stringify!($name)); )+
                }
            };
        }
        check!(DataType PayloadType CsIdMapType ErrorNo GeneralExtensionType KeyIdType);
        check!(OmaBcastSubtype PrfFunc EncrAlg MacAlg EnvelopeKeyCache DhGroup SType HashFunc);
        check!(EccCurve SakkeParams SakkeIdScheme TsType IdType CertType TsRole IdRole RandRole);
        check!(KeyDataType KvType SkType ProtType SrtpParamType SrtpEncrAlg SrtpAuthAlg SrtpPrf);
        check!(FecOrder TeslaParamType);
        for value in 0..=u16::MAX {
            assert_eq!(u16::from(TicketType::from(value)), value);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// How seldom a letter follows another in the words of software and its documentation: 'A' is each
// time, and each letter further is half a bit more. Columns: a to z, the end.
#pragma once

namespace dga_score {

inline constexpr const char* kBigrams[27] = {
    "IJHIJJJKJMLJIKLIPIHILMLMPPZ",  // after the beginning
    "NJIJNMKPKRMHJGQKUGIGLMOPMQI",  // after a
    "GKKKGLNQHLPHMOHMUJJNHQROLPH",  // after b
    "GNKMHMQGKUIJNQFNTJMIKQSSORH",  // after c
    "HLLKFLOPGQQLNOIORKKNKPPSOUE",  // after d
    "JMJILLMQMTPJKHOMPGHIPLNKMRF",  // after e
    "HLJKHHPSFVQJOPHOWIKKJSRTMWG",  // after f
    "IPMMFOMKISTKMJJMUIJLJQQTPQE",  // after g
    "FPOOFQRSGUPLMMGPWKMKJSOXMUG",  // after h
    "KJIKJLKSRRNIJEILTKIHQLTNSLJ",  // after i
    "FNKMFNOOHQNNMMFLQOJNHQOUPRH",  // after j
    "HMNNFNNLGTOKMMIMSLILKQNVMTF",  // after k
    "HONKFNPRFUPHOPHNWPKKKPRUJRG",  // after l
    "EKMMFPQRHVOLKPHHUPKNJQSTNVH",  // after m
    "IPJHHKGPIRMNPLJOTPIGLNQTORF",  // after n
    "NLJJNMLPMQMIIFKJWGIJJKKOQRI",  // after o
    "GQMNGOOKIWOIOOHJUGKIKSPSKUH",  // after p
    "MOMMLONRKTTKNMONRLKLCOPQRWG",  // after q
    "GOLKFOLRHVNMKLHNTKIJLORVLSG",  // after r
    "KQJOGPPJIUMMNOKKRPJFJROSMRE",  // after s
    "HPKNFNQJGTNMNPINVHJKLRPRLPF",  // after t
    "KJKLJLLQJSNHIGOIWHHHRQRNROJ",  // after u
    "FPNODOPSFYRNMPJNVNLOPRRRQSG",  // after v
    "FOLMGOOKFVOLNJHOSIJNNTQTQUH",  // after w
    "KNILHLNOIVMLJNMHTMJGNOOMMRE",  // after x
    "JMLMKNNQLTPLKJLHUMHJLPPRPPC",  // after y
    "HONNDOPKGQOLLNIPTPMNLROULKF",  // after z
};

}  // namespace dga_score

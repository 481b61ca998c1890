
ttttttttttttttttsssssssscut